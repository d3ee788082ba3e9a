// SPDX-License-Identifier: Apache-2.0
#include "io/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>

#include "base/error.h"
#include "base/file.h"

namespace imatch {
namespace {

class CsvReader {
 public:
  CsvReader(std::string_view text, char separator, const std::string& name)
      : rest_(text), separator_(separator), name_(name) {}

  /// Line on which the last row began.
  std::size_t row_line() const { return row_line_; }

  /// The next row that is not an empty line; false at the end.
  bool next(std::vector<std::string>& row) {
    while (accept_line_end()) {
    }
    if (rest_.empty()) return false;
    row.clear();
    row_line_ = line_;
    do {
      row.push_back(rest_.starts_with('"') ? quoted() : plain());
    } while (accept(separator_));
    if (!rest_.empty() && !accept_line_end()) fail("text behind a closing quote");
    return true;
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw Failure(code::kBadFormat, fmt::format("{}: line {}: {}", name_, row_line_, what));
  }

 private:
  bool accept(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool accept_line_end() {
    if (!rest_.starts_with('\n') && !rest_.starts_with("\r\n")) return false;
    rest_.remove_prefix(rest_[0] == '\r' ? 2 : 1);
    ++line_;
    return true;
  }

  std::string plain() {
    const char ends[] = {separator_, '\n'};
    std::size_t end = std::min(rest_.find_first_of({ends, 2}), rest_.size());
    if (end < rest_.size() && rest_[end] == '\n' && end > 0 && rest_[end - 1] == '\r') --end;
    std::string field(rest_.substr(0, end));
    rest_.remove_prefix(end);
    return field;
  }

  std::string quoted() {
    std::string field;
    rest_.remove_prefix(1);
    while (true) {
      const std::size_t end = rest_.find('"');
      if (end == std::string_view::npos) fail("a quote does not end");
      field += rest_.substr(0, end);
      rest_.remove_prefix(end + 1);
      if (!accept('"')) break;
      field += '"';
    }
    line_ += static_cast<std::size_t>(std::count(field.begin(), field.end(), '\n'));
    return field;
  }

  std::string_view rest_;
  char separator_;
  const std::string& name_;
  std::size_t line_ = 1;
  std::size_t row_line_ = 1;
};

char separator_of_header(std::string_view text) {
  static constexpr char kSeparators[] = {',', ';', '\t'};
  std::size_t counts[3] = {};
  bool quoted = false, begun = false;
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    if (!quoted && (c == '\n' || c == '\r') && begun) break;
    begun = begun || (c != '\n' && c != '\r');
    for (std::size_t i = 0; i < 3; ++i)
      if (!quoted && c == kSeparators[i]) ++counts[i];
  }
  return kSeparators[std::max_element(counts, counts + 3) - counts];  // the comma where there is none
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

void require_different(std::vector<std::string> names, const std::string& where) {
  std::sort(names.begin(), names.end());
  if (const auto twice = std::adjacent_find(names.begin(), names.end()); twice != names.end())
    throw Failure(code::kBadFormat, fmt::format("{}: two columns are named '{}'", where, *twice));
}

}  // namespace

std::optional<std::size_t> CsvTable::column(std::string_view name) const {
  const auto found = std::find(header.begin(), header.end(), name);
  if (found == header.end()) return std::nullopt;
  return static_cast<std::size_t>(found - header.begin());
}

CsvTable read_csv(const std::string& path, char separator) {
  return parse_csv(read_file(path), path, separator);
}

CsvTable parse_csv(std::string_view text, const std::string& name, char separator) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  CsvReader reader(text, separator == kByHeader ? separator_of_header(text) : separator, name);
  CsvTable table;
  if (!reader.next(table.header)) throw Failure(code::kBadFormat, name + ": no header row");
  require_different(table.header, fmt::format("{}: line {}", name, reader.row_line()));
  std::vector<std::string> row;
  while (reader.next(row)) {
    if (row.size() != table.header.size())
      reader.fail(fmt::format("{} fields, expected {}{}", row.size(), table.header.size(),
                              row.size() > table.header.size() ? " (decimal commas? write 47.1)" : ""));
    table.rows.push_back(std::move(row));
  }
  return table;
}

CsvTable tidied(CsvTable table, const std::string& name) {
  for (std::string& column : table.header) {
    column = trimmed(column);
    for (char& c : column) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  require_different(table.header, name);
  for (auto& row : table.rows)
    for (std::string& field : row) field = std::string(trimmed(field));
  return table;
}

std::optional<double> csv_number(std::string_view text, const std::string& where) {
  text = trimmed(text);
  const std::string_view digits = text.starts_with('+') && !text.starts_with("+-") ? text.substr(1) : text;
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  const bool is_whole = end == digits.data() + digits.size();
  if (!digits.empty() && error == std::errc() && is_whole) return value;
  if (error == std::errc() && !digits.empty() && *end == ',' &&
      std::all_of(end + 1, digits.data() + digits.size(), [](char c) { return c >= '0' && c <= '9'; }))
    throw Failure(code::kBadFormat,
                  fmt::format("{}: '{}' has a decimal comma; write it with a point", where, text));
  return std::nullopt;
}

void append_csv_field(std::string& row, std::string_view field, char separator) {
  const char special[] = {separator, '"', '\n', '\r'};
  if (field.find_first_of({special, sizeof(special)}) == std::string_view::npos) {
    row += field;
    return;
  }
  row += '"';
  for (const char c : field) {
    if (c == '"') row += '"';
    row += c;
  }
  row += '"';
}

std::string csv_row(const std::vector<std::string>& fields, char separator) {
  // An empty line is no row, so a single empty field is quoted.
  if (fields.size() == 1 && fields[0].empty()) return "\"\"\n";
  std::string row;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) row += separator;
    append_csv_field(row, fields[i], separator);
  }
  return row + "\n";
}

void write_csv(const std::string& path, const CsvTable& table, char separator) {
  std::string text = csv_row(table.header, separator);
  for (const auto& row : table.rows) {
    if (row.size() != table.header.size())
      throw Error(fmt::format("csv: a row of {} fields, expected {}", row.size(), table.header.size()));
    text += csv_row(row, separator);
  }
  write_file_atomically(path, text);
}

}  // namespace imatch
