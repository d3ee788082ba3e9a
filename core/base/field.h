// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <limits>
#include <string_view>
#include <tuple>

namespace imatch {

/// What a field's value may be. Numbers: a closed range. Strings: one of a few names (none listed: any text).
struct Allowed {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  const std::string_view* names = nullptr;
  int num_names = 0;
};

constexpr Allowed anything() {
  return {};
}
constexpr Allowed at_least(double low) {
  return {.low = low};
}
constexpr Allowed in_range(double low, double high) {
  return {.low = low, .high = high};
}
/// `names` must have static storage: `static constexpr std::string_view kModes[] = {"a", "b"};`
template <int N>
constexpr Allowed one_of(const std::string_view (&names)[N]) {
  return {.names = names, .num_names = N};
}

/// One member of an option struct: its public name, where it is stored, what it may be, and what it means.
/// An option struct lists its fields once, in `static constexpr auto fields = std::tuple{field(...), ...};`.
/// The Lua bridge, the command line, the reports and the documentation all read that list (base/options.h).
template <class Struct, class Member>
struct Field {
  const char* name;
  Member Struct::*member;
  Allowed allowed;
  const char* doc;
};

template <class Struct, class Member>
constexpr Field<Struct, Member> field(const char* name, Member Struct::*member, Allowed allowed,
                                      const char* doc) {
  return {name, member, allowed, doc};
}

}  // namespace imatch
