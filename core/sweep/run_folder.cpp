// SPDX-License-Identifier: Apache-2.0
#include "sweep/run_folder.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "io/csv.h"
#include "io/json_file.h"
#include "sweep/canonical.h"
#include "sweep/cell_files.h"
#include "sweep/folder_lock.h"

namespace imatch {

RunFolder::RunFolder(std::string path, std::shared_ptr<const Plan> plan, Json identity, RunOptions options)
    : path_(std::move(path)),
      plan_(std::move(plan)),
      identity_(std::move(identity)),
      options_(options),
      results_(plan_->size()) {
  read_finished();
}

RunFolder::~RunFolder() = default;

std::string RunFolder::cell_path(std::size_t cell) const {
  return fmt::format("{}/cells/{}.json", path_, plan_->key(cell));
}

std::string RunFolder::crash_path(std::size_t cell) const {
  return fmt::format("{}/cells/{}.crash", path_, plan_->key(cell));
}

std::string RunFolder::progress_path(std::size_t cell) const {
  return fmt::format("{}/cells/{}.progress", path_, plan_->key(cell));
}

std::string RunFolder::checkpoint_path(std::size_t cell) const {
  return fmt::format("{}/checkpoints/{}", path_, plan_->key(cell));
}

void RunFolder::read_finished() {
  std::vector<std::size_t> found;
  std::vector<std::string> paths, leftovers;
  std::vector<bool> seen(plan_->size(), false);
  for (const std::string& name : names_in(path_ + "/cells")) {
    if (!has_ending(name, ".json")) {
      leftovers.push_back(name);
      continue;
    }
    const std::int64_t cell = plan_->find(std::string_view(name).substr(0, name.size() - 5));
    if (cell < 0) continue;
    found.push_back(static_cast<std::size_t>(cell));
    paths.push_back(cell_path(found.back()));
  }
  read_cells(paths, [&](std::size_t i, std::optional<CellRecord> record) {
    const std::size_t cell = found[i];
    if (!record || record->key != plan_->key(cell)) {
      damaged_.push_back(paths[i]);
      return;
    }
    struct stat status {};
    const bool is_stale = std::find(options_.stale_workers.begin(), options_.stale_workers.end(),
                                    record->worker) != options_.stale_workers.end();
    if ((is_stale || (!record->ok && options_.retry_failed)) && ::stat(paths[i].c_str(), &status) == 0) {
      retried_[cell] = status.st_mtim;
      return;
    }
    results_.set(cell, *record);
    seen[cell] = true;
    cached_s_ += record->time_spent_ms / 1000;
  });
  read_siblings();
  for (const FinishedElsewhere& other : elsewhere_) seen[other.cell] = true;
  for (std::size_t cell = 0; cell < plan_->size(); ++cell)
    if (!seen[cell]) queue_.push_back(cell);
  num_cached_ = plan_->size() - queue_.size();
  remove_leftovers(leftovers);
}

/// Enters what is finished in the siblings and not here, but for what is to be measured again.
void RunFolder::read_siblings() {
  for (const std::string& sibling : options_.siblings) {
    std::vector<FinishedElsewhere> found;
    std::vector<std::string> paths;
    for (const std::string& name : names_in(sibling + "/cells")) {
      if (!has_ending(name, ".json")) continue;
      const std::int64_t key = plan_->find(std::string_view(name).substr(0, name.size() - 5));
      const auto cell = static_cast<std::size_t>(key);
      if (key < 0 || retried_.contains(cell) || results_.status(cell) != ResultTable::Status::kPending)
        continue;
      found.push_back({.cell = cell, .key = plan_->key(cell), .folder = sibling, .worker = {}});
      paths.push_back(sibling + "/cells/" + name);
    }
    read_cells(paths, [&](std::size_t i, std::optional<CellRecord> record) {
      if (!record || record->key != found[i].key || (!record->ok && options_.retry_failed) ||
          std::find(options_.stale_workers.begin(), options_.stale_workers.end(), record->worker) !=
              options_.stale_workers.end())
        return;
      results_.set(found[i].cell, *record);
      cached_s_ += record->time_spent_ms / 1000;
      found[i].worker = record->worker;
      elsewhere_.push_back(std::move(found[i]));
    });
  }
}

/// Makes the cells of the siblings cells of this folder, once there is one.
void RunFolder::take_over() {
  imatch::take_over(elsewhere_, path_);
  elsewhere_.clear();
}

double RunFolder::cached_s() const {
  return cached_s_;
}

CellRecord RunFolder::record(std::size_t cell) const {
  const std::string file = cell_path(cell);
  return parse_cell(read_file(file), file);
}

std::shared_ptr<RunFolder> RunFolder::read(const std::string& path) {
  const std::string file = path + "/plan.json";
  Json plan;
  CsvTable cells;
  {
    // Two sweeps with other axes may share the folder: both files must be of the same one.
    const FolderLock lock(path + "/cells");
    plan = json_or_null(read_file(file));
    if (!plan.is_object() || !plan.contains("axes"))
      throw Failure(code::kBadFormat, fmt::format("{}: not the plan of a sweep", file));
    cells = read_csv(path + "/plan.csv", ',');
  }
  Json identity = Json::object();
  try {
    const Json provenance = json_or_null(read_file(path + "/provenance.json"));
    if (provenance.is_object()) identity = provenance.value("identity", Json::object());
  } catch (const Failure&) {  // it tells where the run comes from; to look at it is possible without
  }
  return std::make_shared<RunFolder>(path, std::make_shared<Plan>(Plan::of_tables(plan.at("axes"), cells)),
                                     identity);
}

/// Enters the record of a cell if another worker has finished it.
bool RunFolder::load(std::size_t cell) {
  const std::string file = cell_path(cell);
  if (const auto retried = retried_.find(cell); retried != retried_.end()) {
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0 || (status.st_mtim.tv_sec == retried->second.tv_sec &&
                                               status.st_mtim.tv_nsec == retried->second.tv_nsec))
      return false;
  }
  try {
    const CellRecord record = parse_cell(read_file(file), file);
    if (record.key != plan_->key(cell)) return false;
    results_.set(cell, record);
    return true;
  } catch (const Failure& failure) {
    if (failure.code() == code::kNotFound || failure.code() == code::kBadFormat) return false;
    throw;
  }
}

/// Enters what other workers have finished meanwhile: the tables of whoever stops last have all cells.
void RunFolder::load_new() {
  for (const std::string& name : names_in(path_ + "/cells")) {
    if (!has_ending(name, ".json")) continue;
    const std::int64_t cell = plan_->find(std::string_view(name).substr(0, name.size() - 5));
    if (cell >= 0 && results_.status(static_cast<std::size_t>(cell)) == ResultTable::Status::kPending)
      load(static_cast<std::size_t>(cell));
  }
}

/// Takes away what killed processes left behind: claims, progress and checkpoints of cells that are finished,
/// and old temporary files (a young one may be in use just now).
void RunFolder::remove_leftovers(const std::vector<std::string>& names) const {
  constexpr double kOldSeconds = 3600;
  const auto is_finished = [&](std::string_view name) {
    const std::int64_t cell = plan_->find(name.substr(0, name.find('.')));
    return cell >= 0 && results_.status(static_cast<std::size_t>(cell)) != ResultTable::Status::kPending;
  };
  struct stat status {};
  for (const std::string& name : names) {
    const std::string file = path_ + "/cells/" + name;
    const bool is_of_cell = name.find(".claim") != std::string::npos || has_ending(name, ".progress") ||
                            has_ending(name, ".crash");
    if (is_of_cell ? is_finished(name)
                   : has_ending(name, ".tmp") && ::stat(file.c_str(), &status) == 0 &&
                         std::difftime(std::time(nullptr), status.st_mtime) > kOldSeconds)
      ::unlink(file.c_str());
  }
  for (const std::string& key : names_in(path_ + "/checkpoints")) {
    const std::int64_t cell = plan_->find(key);
    std::error_code ignored;
    if (cell >= 0 && results_.status(static_cast<std::size_t>(cell)) == ResultTable::Status::kOk)
      std::filesystem::remove_all(path_ + "/checkpoints/" + key, ignored);
  }
}

std::vector<std::pair<std::size_t, CellProgress>> RunFolder::unfinished() const {
  std::vector<std::pair<std::size_t, CellProgress>> list;
  for (const std::string& name : names_in(path_ + "/cells")) {
    if (!has_ending(name, ".progress")) continue;
    const std::int64_t cell = plan_->find(std::string_view(name).substr(0, name.find('.')));
    if (cell < 0 || results_.status(static_cast<std::size_t>(cell)) != ResultTable::Status::kPending)
      continue;
    if (auto progress = read_cell_progress(path_ + "/cells/" + name))
      list.emplace_back(static_cast<std::size_t>(cell), std::move(*progress));
  }
  std::sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  return list;
}

/// The latest session's record at the top, then what the folder stands for and every session, oldest first.
Json RunFolder::provenance_of_all() const {
  std::vector<Json> sessions;
  const std::string folder = path_ + "/workers";
  for (const std::string& name : names_in(folder)) {
    if (!has_ending(name, ".json")) continue;
    Json session = json_or_null(read_file(folder + "/" + name));
    if (session.is_object()) sessions.push_back(std::move(session));
  }
  const auto started = [](const Json& session) {
    const auto found = session.find("started");
    return found != session.end() && found->is_string() ? found->get<std::string>() : "";
  };
  std::stable_sort(sessions.begin(), sessions.end(),
                   [&](const Json& a, const Json& b) { return started(a) < started(b); });
  Json all = sessions.empty() ? Json::object() : sessions.back();
  all["identity"] = identity_;
  all["sessions"] = sessions;
  return all;
}

/// What tells others of the run: they may look at it from its beginning.
bool RunFolder::write_description() {
  const std::string provenance = provenance_of_all().dump(2, ' ', false, Json::error_handler_t::replace);
  bool changed = write_if_changed(path_ + "/provenance.json", provenance + "\n");
  changed |= write_if_changed(path_ + "/plan.csv", plan_->csv());
  // Last: a folder that has it is a run.
  return write_if_changed(path_ + "/plan.json", Json{{"axes", plan_->axes_json()}}.dump() + "\n") || changed;
}

void RunFolder::begin() {
  naming_folder([&] { worker(); });
}

bool RunFolder::write_tables(const std::optional<BestOptions>& best) {
  bool changed = false;
  naming_folder([&] {
    make_folder(path_ + "/cells");
    std::optional<FolderLock> lock;
    if (num_locks_ == 0) lock.emplace(path_ + "/cells");
    take_over();
    if (worker_) load_new();
    changed = write_description();
    changed |= write_if_changed(path_ + "/results.csv", results_.csv(*plan_));
    changed |= write_if_changed(path_ + "/results.jsonl", results_.jsonl(*plan_));
    changed |= write_if_changed(path_ + "/failed.csv", results_.failed_csv(*plan_));
    // Last, for it fails when the metric is misspelt.
    const Json selection =
        best && results_.num_ok() > 0 ? select_best(*plan_, results_, *best) : Json(nullptr);
    changed |= write_if_changed(path_ + "/best.json", selection.dump(2) + "\n");
  });
  return changed;
}

void RunFolder::with_tables(const std::optional<BestOptions>& best, const std::function<void()>& write) {
  make_folder(path_ + "/cells");
  std::optional<FolderLock> lock;
  if (num_locks_ == 0) lock.emplace(path_ + "/cells");
  struct Count {
    explicit Count(int& of) : number(of) { ++number; }
    ~Count() { --number; }
    int& number;
  };
  const Count count(num_locks_);
  write_tables(best);
  write();
}

std::string RunFolder::results_key() const {
  return content_key(plan_->csv() + results_.csv(*plan_));
}

}  // namespace imatch
