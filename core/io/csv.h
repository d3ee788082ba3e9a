// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace imatch {

/// A table of text with named columns; every row has as many fields as the header.
struct CsvTable {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;

  std::optional<std::size_t> column(std::string_view name) const;
};

/// The separator is what the header has most of.
inline constexpr char kByHeader = '\0';

/// Reads RFC 4180: fields between separators (a comma; or a semicolon or tab, as spreadsheets write them),
/// quoted where they hold separators, quotes ("") or line ends; lines end with LF or CRLF. The first row
/// names the columns. A byte order mark and empty lines are skipped. Throws Failure: not_found, not_a_file,
/// unreadable; bad_format with the line for a row of another length, a quote that does not end or text behind
/// one, a column name that occurs twice, and a file without a header.
CsvTable read_csv(const std::string& path, char separator = kByHeader);

/// The same over a text in memory; `name` begins the error messages.
CsvTable parse_csv(std::string_view text, const std::string& name, char separator = kByHeader);

/// The table as people mean it: blanks around fields and names dropped, names in small letters. Throws
/// Failure (bad_format) for two columns that are one then.
CsvTable tidied(CsvTable table, const std::string& name);

/// A number as tables have it, with or without + and blanks around it; nothing for anything else. `where`
/// begins the message of the Failure (bad_format) for one with a decimal comma, which could mean two things.
std::optional<double> csv_number(std::string_view text, const std::string& where);

/// Appends one field, quoted where it has to be.
void append_csv_field(std::string& row, std::string_view field, char separator = ',');

/// One row with its line end (LF); fields are quoted where they have to be.
std::string csv_row(const std::vector<std::string>& fields, char separator = ',');

/// Writes the table atomically. Throws Error for a row of another length, Failure (unwritable, no_space).
void write_csv(const std::string& path, const CsvTable& table, char separator = ',');

}  // namespace imatch
