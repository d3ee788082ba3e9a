// SPDX-License-Identifier: Apache-2.0
#include "backbone/spec.h"

#include <fmt/format.h>

#include "base/error.h"

namespace imatch {
namespace {

constexpr std::string_view kSpace = " \t\r\n";

bool is_bare(const std::string& text) {
  return !text.empty() && text.find_first_of(" \t\r\n\"") == std::string::npos && !Json::accept(text);
}

/// Length of the JSON string that `text` begins with, quotes included; npos when it does not end.
std::size_t quoted_length(std::string_view text) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '\\')
      ++i;
    else if (text[i] == '"')
      return i + 1;
  }
  return std::string_view::npos;
}

}  // namespace

std::string format_spec(const BackboneSpec& spec) {
  std::string text = spec.name;
  for (const auto& [key, value] : spec.options.items()) {
    const bool bare = value.is_string() && is_bare(value.get_ref<const std::string&>());
    text += fmt::format(" {}={}", key, bare ? value.get<std::string>() : value.dump());
  }
  return text;
}

BackboneSpec parse_spec(std::string_view text) {
  BackboneSpec spec;
  const std::string_view whole = text;
  const auto skip_space = [&] { text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size())); };
  skip_space();
  const std::size_t name_length = std::min(text.find_first_of(kSpace), text.size());
  spec.name = text.substr(0, name_length);
  text.remove_prefix(name_length);
  for (skip_space(); !text.empty(); skip_space()) {
    const std::size_t equals = text.find('=');
    const std::size_t end = std::min(text.find_first_of(kSpace), text.size());
    if (equals == 0 || equals >= end)
      throw Error(fmt::format("backbone '{}': expected key=value after the name, got '{}'", whole,
                              text.substr(0, end)));
    const std::string key(text.substr(0, equals));
    text.remove_prefix(equals + 1);
    const bool quoted = text.starts_with('"');
    const std::size_t length =
        quoted ? quoted_length(text) : std::min(text.find_first_of(kSpace), text.size());
    const std::string value(text.substr(0, length));
    if (quoted && !Json::accept(value))
      throw Error(
          fmt::format("backbone '{}': the quoted value of '{}' has no end or a wrong escape", whole, key));
    text.remove_prefix(value.size());
    spec.options[key] = Json::accept(value) ? Json::parse(value) : Json(value);
  }
  return spec;
}

}  // namespace imatch
