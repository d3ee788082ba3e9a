// SPDX-License-Identifier: Apache-2.0
#include "base/options.h"

#include <fmt/format.h>

#include <cmath>

#include "base/error.h"
#include "base/spelling.h"

namespace imatch::detail {
namespace {

/// How the value reads in a message: short, and with its type where the text alone would not tell.
std::string shown(const Json& value) {
  if (value.is_object()) return "a table";
  if (value.is_array()) return value.empty() ? "an empty table" : "a list";
  if (value.is_boolean()) return value.get<bool>() ? "true" : "false";
  if (value.is_string()) return "'" + value.get<std::string>() + "'";
  if (value.is_number_float()) return fmt::format("{}", value.get<double>());
  return value.dump();
}

[[noreturn]] void refuse(const std::string& path, std::string_view expected, const Json& value) {
  throw Error(fmt::format("{}: expected {}, got {}", path, expected, shown(value)));
}

std::string with_range(std::string_view type, const Allowed& allowed) {
  const std::string range = allowed_text(allowed);
  return range.empty() ? std::string(type) : fmt::format("{} {}", type, range);
}

}  // namespace

void unknown_field(std::string_view what, const std::string& key, const std::vector<std::string>& names) {
  throw Error(fmt::format("{}: unknown option '{}'{}; known: {}", what, key, did_you_mean(key, names),
                          joined(names)));
}

void not_a_table(std::string_view what, const Json& value) {
  throw Error(fmt::format("{}: expected a table of options, got {}", what, shown(value)));
}

std::string allowed_text(const Allowed& allowed) {
  if (allowed.names) {
    std::string text;
    for (int i = 0; i < allowed.num_names; ++i)
      text += fmt::format("{}'{}'",
                          i == 0                       ? ""
                          : i + 1 == allowed.num_names ? " or "
                                                       : ", ",
                          allowed.names[i]);
    return text;
  }
  const bool low = std::isfinite(allowed.low), high = std::isfinite(allowed.high);
  if (low && high) return fmt::format("in [{}, {}]", allowed.low, allowed.high);
  if (low) return fmt::format(">= {}", allowed.low);
  if (high) return fmt::format("<= {}", allowed.high);
  return "";
}

bool read_bool(const Json& value, const std::string& path) {
  if (!value.is_boolean()) refuse(path, "true or false", value);
  return value.get<bool>();
}

std::int64_t read_integer(const Json& value, const std::string& path, const Allowed& allowed,
                          std::int64_t least, std::int64_t most) {
  const std::string expected = with_range("an integer", allowed);
  if (!value.is_number()) refuse(path, expected, value);
  const double number = value.get<double>();
  // Beyond 2^53 a double no longer tells neighbouring integers apart.
  if (number != std::floor(number) || std::abs(number) > 9007199254740992.0 || number < allowed.low ||
      number > allowed.high || number < static_cast<double>(least) || number > static_cast<double>(most))
    refuse(path, expected, value);
  return value.is_number_float() ? static_cast<std::int64_t>(number) : value.get<std::int64_t>();
}

double read_number(const Json& value, const std::string& path, const Allowed& allowed) {
  const std::string expected = with_range("a number", allowed);
  if (!value.is_number()) refuse(path, expected, value);
  const double number = value.get<double>();
  if (!std::isfinite(number) || number < allowed.low || number > allowed.high) refuse(path, expected, value);
  return number;
}

std::string read_string(const Json& value, const std::string& path, const Allowed& allowed) {
  if (!value.is_string()) refuse(path, allowed.names ? allowed_text(allowed) : "a string", value);
  std::string text = value.get<std::string>();
  if (!allowed.names) return text;
  std::vector<std::string> names(allowed.names, allowed.names + allowed.num_names);
  for (const std::string& name : names)
    if (name == text) return text;
  throw Error(fmt::format("{}: expected {}, got '{}'{}", path, allowed_text(allowed), text,
                          did_you_mean(text, names)));
}

const Json& read_list(const Json& value, const std::string& path) {
  if (value.is_object() && value.empty()) {
    static const Json none = Json::array();
    return none;
  }
  if (!value.is_array()) refuse(path, "a list", value);
  return value;
}

}  // namespace imatch::detail
