// SPDX-License-Identifier: Apache-2.0
#include "sweep/canonical.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

#include "base/error.h"
#include "base/sha256.h"

namespace imatch {
namespace {

void append(std::string& out, const Json& value) {
  switch (value.type()) {
    case Json::value_t::object: {
      std::vector<const Json::object_t::value_type*> members;
      for (const auto& member : value.get_ref<const Json::object_t&>()) members.push_back(&member);
      std::sort(members.begin(), members.end(), [](auto a, auto b) { return a->first < b->first; });
      out += '{';
      for (const auto* member : members) {
        if (out.back() != '{') out += ',';
        append(out, member->first);
        out += ':';
        append(out, member->second);
      }
      out += '}';
      return;
    }
    case Json::value_t::array:
      out += '[';
      for (const Json& item : value) {
        if (out.back() != '[') out += ',';
        append(out, item);
      }
      out += ']';
      return;
    case Json::value_t::number_float:
      out += canonical_number(value.get<double>());
      return;
    case Json::value_t::string:
      try {
        out += value.dump();
      } catch (const Json::exception&) {
        throw Error("text that is not UTF-8 cannot be part of a key: " +
                    quoted_json(value.get<std::string>()));
      }
      return;
    default:
      out += value.dump();
  }
}

}  // namespace

std::string canonical_number(double value) {
  if (!std::isfinite(value))
    throw Error(fmt::format("{} cannot be part of a key; expected a finite number", value));
  char digits[40];
  std::to_chars_result end;
  if (value == std::floor(value) && std::abs(value) < 9223372036854775808.0)
    end = std::to_chars(digits, digits + sizeof digits, static_cast<std::int64_t>(value));
  else if (value == std::floor(value) && value > 0 && value < 18446744073709551616.0)
    end = std::to_chars(digits, digits + sizeof digits, static_cast<std::uint64_t>(value));
  else
    end = std::to_chars(digits, digits + sizeof digits, value);
  return std::string(digits, end.ptr);
}

std::string canonical_json(const Json& value) {
  std::string out;
  append(out, value);
  return out;
}

std::string quoted_json(std::string_view text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string content_key(std::string_view text) {
  return sha256_hex(text).substr(0, kKeyDigits);
}

std::int64_t cell_seed(std::int64_t sweep_seed, std::string_view cell_key) {
  const std::string digits = sha256_hex(fmt::format("seed {} {}", sweep_seed, cell_key)).substr(0, 13);
  return std::stoll(digits, nullptr, 16);
}

}  // namespace imatch
