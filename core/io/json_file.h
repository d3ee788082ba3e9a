// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/options.h"

namespace imatch {

/// Throws Failure: not_found, not_a_file, unreadable; bad_format with file, line and column, and for a
/// nesting of more than 200. A byte order mark at the start is skipped.
Json read_json(const std::string& path);

/// The same over a text in memory; `name` begins the error messages.
Json parse_json(std::string_view text, const std::string& name);

/// The same, null for what is no JSON: for files of which a damaged one counts as none.
Json json_or_null(std::string_view text);

/// `indent` blanks a level; -1: one line. Numbers that JSON does not have (NaN, infinity) become null.
/// Throws Error for text that is not UTF-8.
std::string json_text(const Json& value, int indent = 2);

/// Writes json_text and a line end, atomically. Throws Failure (unwritable, no_space), and Error as
/// json_text.
void write_json(const std::string& path, const Json& value);

}  // namespace imatch
