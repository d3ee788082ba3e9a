// SPDX-License-Identifier: Apache-2.0
#include "train/training_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "io/csv.h"

namespace imatch {

TrainingLog::TrainingLog(const std::string& folder, std::int64_t step, std::vector<std::string> columns)
    : folder_(folder), columns_(std::move(columns)), events_(folder + "/events") {
  const std::string path = folder + "/losses.csv";
  CsvTable table;
  if (step > 0 && std::filesystem::exists(path)) table = read_csv(path);
  std::vector<std::string> header{"step"};
  header.insert(header.end(), columns_.begin(), columns_.end());
  if (!table.header.empty() && table.header != header)
    throw Failure(code::kBadFormat, path + ": has other columns; move it away to go on");
  table.header = header;
  std::erase_if(table.rows, [&](const auto& row) { return std::atoll(row[0].c_str()) > step; });
  write_csv(path, table);
  csv_.emplace(path, false);
}

void TrainingLog::add(std::int64_t step, const Numbers& numbers) {
  std::string line = std::to_string(step);
  for (const std::string& column : columns_) {
    const auto found = std::ranges::find(numbers, column, &Numbers::value_type::first);
    line += ',';
    if (found != numbers.end()) line += fmt::format("{}", found->second);
  }
  csv_->add(line + '\n');
  for (const auto& [name, value] : numbers) events_.scalar(step, name, value);
}

void TrainingLog::add(std::int64_t step, const TrainingPicture& picture) {
  write_file_atomically(fmt::format("{}/pictures/{:07}.png", folder_, step), picture.png, false);
  events_.picture(step, "prediction", picture.width, picture.height, picture.png);
}

void TrainingLog::flush() {
  csv_->flush();
  events_.flush();
}

}  // namespace imatch
