// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/field.h"

namespace imatch {

using Json = nlohmann::ordered_json;

/// A field without its C++ type: what documentation, `--help` and completion need.
struct FieldInfo {
  std::string name;
  std::string type;     ///< "integer", "number", "boolean", "string", "list of ...", "table".
  std::string allowed;  ///< "in [-1, 1]", "'a', 'b' or 'c'"; empty when anything of the type goes.
  Json default_value;   ///< null when the field is optional and unset.
  std::string doc;
};

template <class S>
concept OptionStruct = requires {
  S::fields;
};

namespace detail {

template <class T>
struct is_optional : std::false_type {};
template <class T>
struct is_optional<std::optional<T>> : std::true_type {};
template <class T>
struct is_vector : std::false_type {};
template <class T>
struct is_vector<std::vector<T>> : std::true_type {};

[[noreturn]] void unknown_field(std::string_view what, const std::string& key,
                                const std::vector<std::string>& names);
[[noreturn]] void not_a_table(std::string_view what, const Json& value);
std::string allowed_text(const Allowed& allowed);
bool read_bool(const Json& value, const std::string& path);
std::int64_t read_integer(const Json& value, const std::string& path, const Allowed& allowed,
                          std::int64_t least, std::int64_t most);
double read_number(const Json& value, const std::string& path, const Allowed& allowed);
std::string read_string(const Json& value, const std::string& path, const Allowed& allowed);
const Json& read_list(const Json& value, const std::string& path);

template <class T>
T read(const Json& value, const std::string& path, const Allowed& allowed);

template <class T>
constexpr const char* type_name() {
  if constexpr (std::is_same_v<T, bool>)
    return "boolean";
  else if constexpr (std::is_integral_v<T>)
    return "integer";
  else if constexpr (std::is_floating_point_v<T>)
    return "number";
  else if constexpr (std::is_same_v<T, std::string>)
    return "string";
  else
    return "table";
}

template <class T>
std::string describe_type() {
  if constexpr (is_optional<T>::value)
    return describe_type<typename T::value_type>();
  else if constexpr (is_vector<T>::value)
    return "list of " + describe_type<typename T::value_type>();
  else
    return type_name<T>();
}

template <class T>
Json write(const T& value);

}  // namespace detail

/// Reads an option struct from a table. `what` begins the error messages ("match.mutual_nearest options").
/// Throws Error for an unknown key (with the nearest spelling), a wrong type or a value out of range.
/// Keys that are absent or null keep their defaults.
template <OptionStruct S>
S parse_options(const Json& table, std::string_view what, S result = {}) {
  if (table.is_null()) return result;
  if (!table.is_object()) {
    if (table.is_array() && table.empty()) return result;  // Lua's {} says neither list nor table
    detail::not_a_table(what, table);
  }
  std::vector<std::string> names;
  std::apply([&](const auto&... f) { (names.emplace_back(f.name), ...); }, S::fields);
  for (const auto& [key, value] : table.items()) {
    bool known = false;
    const auto take = [&](const auto& f) {
      if (known || key != f.name) return;
      known = true;
      using Member = std::remove_cvref_t<decltype(result.*(f.member))>;
      if (!value.is_null())
        result.*(f.member) = detail::read<Member>(value, std::string(what) + ": " + f.name, f.allowed);
    };
    std::apply([&](const auto&... f) { (take(f), ...); }, S::fields);
    if (!known) detail::unknown_field(what, key, names);
  }
  return result;
}

/// Every field with its value, in the order of the struct.
template <OptionStruct S>
Json options_to_json(const S& options) {
  Json table = Json::object();
  std::apply([&](const auto&... f) { ((table[f.name] = detail::write(options.*(f.member))), ...); },
             S::fields);
  return table;
}

template <OptionStruct S>
std::vector<FieldInfo> describe_options() {
  const S defaults{};
  std::vector<FieldInfo> list;
  const auto add = [&](const auto& f) {
    using Member = std::remove_cvref_t<decltype(defaults.*(f.member))>;
    list.push_back({f.name, detail::describe_type<Member>(), detail::allowed_text(f.allowed),
                    detail::write(defaults.*(f.member)), f.doc});
  };
  std::apply([&](const auto&... f) { (add(f), ...); }, S::fields);
  return list;
}

namespace detail {

template <class T>
T read(const Json& value, const std::string& path, const Allowed& allowed) {
  if constexpr (is_optional<T>::value) {
    return read<typename T::value_type>(value, path, allowed);
  } else if constexpr (is_vector<T>::value) {
    T list;
    for (const Json& item : read_list(value, path))
      list.push_back(
          read<typename T::value_type>(item, path + "[" + std::to_string(list.size() + 1) + "]", allowed));
    return list;
  } else if constexpr (std::is_same_v<T, bool>) {
    return read_bool(value, path);
  } else if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(
        read_integer(value, path, allowed, std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
  } else if constexpr (std::is_floating_point_v<T>) {
    return static_cast<T>(read_number(value, path, allowed));
  } else if constexpr (std::is_same_v<T, std::string>) {
    return read_string(value, path, allowed);
  } else {
    static_assert(OptionStruct<T>, "a field is a bool, a number, a string, a list or an option struct");
    return parse_options<T>(value, path);
  }
}

template <class T>
Json write(const T& value) {
  if constexpr (is_optional<T>::value) {
    return value ? write(*value) : Json(nullptr);
  } else if constexpr (is_vector<T>::value) {
    Json list = Json::array();
    for (const auto& item : value) list.push_back(write(item));
    return list;
  } else if constexpr (OptionStruct<T>) {
    return options_to_json(value);
  } else {
    return value;
  }
}

}  // namespace detail
}  // namespace imatch
