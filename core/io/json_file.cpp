// SPDX-License-Identifier: Apache-2.0
#include "io/json_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "io/json_builder.h"

namespace imatch {
namespace {

std::string position(std::string_view text, std::size_t byte) {
  const std::string_view before = text.substr(0, std::min(byte, text.size()));
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const std::size_t column = before.size() - (before.rfind('\n') + 1);  // npos + 1 is 0
  return fmt::format("line {}, column {}", line, std::max<std::size_t>(1, column));
}

/// The library's message without its number and position, which position() gives in the words of an editor.
std::string reason(const std::string& message) {
  const std::size_t start = message.find("syntax error");
  return start == std::string::npos
             ? message.substr(message.find("] ") == std::string::npos ? 0 : message.find("] ") + 2)
             : message.substr(start);
}

}  // namespace

Json read_json(const std::string& path) {
  return parse_json(read_file(path), path);
}

Json parse_json(std::string_view text, const std::string& name) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  JsonBuilder builder(name);
  if (Json::sax_parse(text.begin(), text.end(), &builder)) return builder.take();
  const std::string why = reason(builder.problem());
  throw Failure(code::kBadFormat, builder.is_syntax_error()
                                      ? fmt::format("{}: {}: {}", name, position(text, builder.byte()), why)
                                      : fmt::format("{}: {}", name, why));
}

Json json_or_null(std::string_view text) {
  try {
    return parse_json(text, "");
  } catch (const Failure&) {
    return nullptr;
  }
}

std::string json_text(const Json& value, int indent) {
  try {
    return value.dump(indent);
  } catch (const Json::type_error& error) {
    throw Error("JSON: text that is not UTF-8: " + reason(error.what()));
  }
}

void write_json(const std::string& path, const Json& value) {
  write_file_atomically(path, json_text(value) + "\n");
}

}  // namespace imatch
