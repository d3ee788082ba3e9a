// SPDX-License-Identifier: Apache-2.0
#include "sweep/cell_progress.h"

#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "evaluation/statistics.h"
#include "io/json_file.h"

namespace imatch {
namespace {

ProgressState progress_of_json(const Json& json) {
  ProgressState state;
  for (const auto& [name, value] : json.items()) {
    if (!value.is_number()) continue;
    if (name == "done")
      state.done = value.get<std::size_t>();
    else if (name == "total")
      state.total = value.get<std::size_t>();
    else
      state.numbers.emplace_back(name, value.get<double>());
  }
  return state;
}

double seconds_since_written(const std::string& path) {
  struct stat status {};
  timespec now{};
  if (::stat(path.c_str(), &status) != 0) return 0;
  ::clock_gettime(CLOCK_REALTIME, &now);
  return std::max(0.0, static_cast<double>(now.tv_sec - status.st_mtim.tv_sec) +
                           1e-9 * static_cast<double>(now.tv_nsec - status.st_mtim.tv_nsec));
}

}  // namespace

Json progress_json(const ProgressState& state) {
  Json json{{"done", state.done}, {"total", state.total}};
  for (const auto& [name, value] : state.numbers) json[name] = finite_json(value);
  return json;
}

void write_cell_progress(const std::string& path, const CellProgress& progress) {
  const Json json{
      {"key", progress.key}, {"worker", progress.worker}, {"progress", progress_json(progress.state)}};
  write_file_atomically(path, json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n", false);
}

std::optional<CellProgress> read_cell_progress(const std::string& path) {
  try {
    const Json json = parse_json(read_file(path), path);
    return CellProgress{json.at("key").get<std::string>(), progress_of_json(json.at("progress")),
                        json.at("worker").get<std::string>(), seconds_since_written(path)};
  } catch (const Json::exception&) {
    return std::nullopt;
  } catch (const Failure&) {
    return std::nullopt;
  }
}

}  // namespace imatch
