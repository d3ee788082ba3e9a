// SPDX-License-Identifier: Apache-2.0
#include "sweep/run_folder.h"

#include <dirent.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "base/stop.h"
#include "io/csv.h"
#include "sweep/canonical.h"
#include "sweep/output_log.h"

namespace imatch {
namespace {

using Clock = std::chrono::steady_clock;

/// The tables are brought up to date while a run goes on, at this interval and never for more than a
/// twentieth of it.
constexpr double kTablesSeconds = 15;
constexpr int kLongestWaitMs = 500;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Names in a folder, sorted; none when there is no such folder.
std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  DIR* stream = ::opendir(folder.c_str());
  if (!stream) {
    if (errno == ENOENT || errno == ENOTDIR) return names;
    throw Failure(code::kUnreadable,
                  fmt::format("{}: cannot list the folder: {}", folder, std::strerror(errno)));
  }
  while (const dirent* entry = ::readdir(stream)) names.emplace_back(entry->d_name);
  ::closedir(stream);
  std::sort(names.begin(), names.end());
  return names;
}

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() > end.size() && text.substr(text.size() - end.size()) == end;
}

/// Calls work(i) for i in [0, n) on a few threads; the first exception is passed on.
void in_parallel(std::size_t n, const std::function<void(std::size_t)>& work) {
  const std::size_t num_threads =
      std::min<std::size_t>({n / 64 + 1, std::max(1u, std::thread::hardware_concurrency()), 8});
  std::atomic<std::size_t> next{0};
  std::vector<std::exception_ptr> failures(num_threads);
  const auto loop = [&](std::size_t self) {
    try {
      for (std::size_t i; (i = next++) < n;) work(i);
    } catch (const std::exception&) {
      failures[self] = std::current_exception();
      next = n;
    }
  };
  std::vector<std::jthread> threads;
  for (std::size_t t = 1; t < num_threads; ++t) threads.emplace_back(loop, t);
  loop(0);
  threads.clear();
  for (const auto& failure : failures)
    if (failure) std::rethrow_exception(failure);
}

/// Writes the file unless it holds these bytes already. True when it did not.
bool write_if_changed(const std::string& path, std::string_view bytes) {
  std::error_code missing;
  if (std::filesystem::file_size(path, missing) == bytes.size() && !missing && read_file(path) == bytes)
    return false;
  write_file_atomically(path, bytes);
  return true;
}

}  // namespace

/// Turns "cells/x.json: cannot write" into one message with the folder and what it means for the run.
template <class Action>
auto RunFolder::naming_folder(Action&& action) const {
  try {
    return action();
  } catch (const Failure& failure) {
    if (failure.code() != code::kNoSpace && failure.code() != code::kUnwritable) throw;
    throw Failure(failure.code(),
                  fmt::format("run folder {}: {} ({}). {} finished cells are kept; run again to go on", path_,
                              failure.code() == code::kNoSpace ? "the disk is full" : "cannot be written",
                              failure.what(), results_.size() - results_.num_pending()));
  }
}

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

void RunFolder::read_finished() {
  std::vector<std::size_t> found;
  std::vector<std::string> leftovers;
  std::vector<bool> seen(plan_->size(), false);
  for (const std::string& name : names_in(path_ + "/cells")) {
    if (!ends_with(name, ".json")) {
      leftovers.push_back(name);
      continue;
    }
    const std::int64_t cell = plan_->find(std::string_view(name).substr(0, name.size() - 5));
    if (cell >= 0) found.push_back(static_cast<std::size_t>(cell));
  }
  // In batches, so that 100,000 records are never in memory at once.
  constexpr std::size_t kBatch = 4096;
  std::vector<std::optional<CellRecord>> records;
  for (std::size_t begin = 0; begin < found.size(); begin += kBatch) {
    check_stop();
    const std::size_t size = std::min(kBatch, found.size() - begin);
    records.assign(size, std::nullopt);
    in_parallel(size, [&](std::size_t i) {
      const std::string file = cell_path(found[begin + i]);
      try {
        records[i] = parse_cell(read_file(file), file);
      } catch (const Failure& failure) {
        if (failure.code() != code::kBadFormat && failure.code() != code::kNotFound) throw;
      }
    });
    for (std::size_t i = 0; i < size; ++i) {
      const std::size_t cell = found[begin + i];
      if (!records[i] || records[i]->key != plan_->key(cell)) {
        damaged_.push_back(cell_path(cell));
        continue;
      }
      struct stat status {};
      if (!records[i]->ok && options_.retry_failed && ::stat(cell_path(cell).c_str(), &status) == 0) {
        retried_[cell] = status.st_mtim;
        continue;
      }
      results_.set(cell, *records[i]);
      seen[cell] = true;
      cached_s_ += records[i]->time_ms / 1000;
    }
  }
  for (std::size_t cell = 0; cell < plan_->size(); ++cell)
    if (!seen[cell]) queue_.push_back(cell);
  num_cached_ = plan_->size() - queue_.size();
  remove_leftovers(leftovers);
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
  const Json plan = Json::parse(read_file(file), nullptr, false);
  if (!plan.is_object() || !plan.contains("axes"))
    throw Failure(code::kBadFormat, fmt::format("{}: not the plan of a sweep", file));
  const Json provenance = Json::parse(read_file(path + "/provenance.json"), nullptr, false);
  const Json identity =
      provenance.is_object() ? provenance.value("identity", Json::object()) : Json::object();
  return std::make_shared<RunFolder>(
      path, std::make_shared<Plan>(Plan::of_tables(plan.at("axes"), read_csv(path + "/plan.csv"))), identity);
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

/// Takes away what killed processes left behind: claims on cells that are finished, and old temporary files
/// (a young one may be in use just now).
void RunFolder::remove_leftovers(const std::vector<std::string>& names) const {
  constexpr double kOldSeconds = 3600;
  struct stat status {};
  for (const std::string& name : names) {
    const std::string file = path_ + "/cells/" + name;
    const std::int64_t cell = plan_->find(std::string_view(name).substr(0, name.find('.')));
    const bool is_claim = name.find(".claim") != std::string::npos;
    if (is_claim
            ? cell >= 0 && results_.status(static_cast<std::size_t>(cell)) != ResultTable::Status::kPending
            : ends_with(name, ".tmp") && ::stat(file.c_str(), &status) == 0 &&
                  std::difftime(std::time(nullptr), status.st_mtime) > kOldSeconds)
      ::unlink(file.c_str());
  }
}

Worker& RunFolder::worker() {
  if (!worker_) {
    make_folder(path_ + "/cells");
    worker_ = std::make_unique<Worker>(path_);
    provenance_ = std::make_unique<Provenance>(script_, facts_);
    save_session(false);
  }
  return *worker_;
}

void RunFolder::describe(std::string script, Json facts, std::function<Json()> late_facts) {
  script_ = std::move(script);
  facts_ = std::move(facts);
  late_facts_ = std::move(late_facts);
}

std::optional<RunFolder::Ticket> RunFolder::next() {
  for (;;) {
    check_stop();
    if (at_ == queue_.size()) {
      if (held_by_others_.empty()) return std::nullopt;
      wait_for_others();
      continue;
    }
    const std::size_t cell = queue_[at_++];
    auto claim = Claim::take(cell_path(cell), worker());
    // Claimed or not, the cell may have been finished since the folder was read.
    if (load(cell)) continue;
    if (claim) return Ticket{cell, std::move(*claim)};
    held_by_others_.push_back(cell);
  }
}

/// All cells are finished or held: looks at the held ones again, more and more slowly while nothing happens.
void RunFolder::wait_for_others() {
  const std::size_t finished = results_.size() - results_.num_pending();
  wait_ms_ = finished > finished_at_last_pass_ ? 1 : std::min(2 * wait_ms_ + 1, kLongestWaitMs);
  finished_at_last_pass_ = finished;
  std::this_thread::sleep_for(std::chrono::milliseconds(wait_ms_));
  queue_ = std::move(held_by_others_);
  held_by_others_.clear();
  at_ = 0;
}

void RunFolder::finish(const Ticket& ticket, const CellRecord& record) {
  // Stopped for so long that another worker took over: its result counts, wait for it.
  if (!ticket.claim.still_held()) {
    held_by_others_.push_back(ticket.cell);
    return;
  }
  write_file_atomically(cell_path(ticket.cell), to_text(record), options_.durable);
  results_.set(ticket.cell, record);
  ++num_run_;
  if (!record.ok) ++num_failed_now_;
}

ProgressCounts RunFolder::counts() const {
  const std::size_t finished = results_.size() - results_.num_pending();
  return {results_.size(), num_cached_, finished - num_cached_, results_.num_failed()};
}

void RunFolder::run(const std::function<Measurement(std::size_t cell)>& measure,
                    const std::optional<BestOptions>& best, std::int64_t sweep_seed,
                    const std::string& progress_name) {
  naming_folder([&] {
    std::optional<Progress> progress;
    std::optional<OutputLog> log;
    if (!queue_.empty()) log.emplace();
    if (!queue_.empty()) progress.emplace(progress_name, Progress::style_for(options_.quiet));
    Clock::time_point tables_at = Clock::now();
    double tables_s = 0;
    try {
      while (auto ticket = next()) {
        CellRecord record;
        record.key = plan_->key(ticket->cell);
        record.params = plan_->params(ticket->cell);
        record.seed = cell_seed(sweep_seed, record.key);
        record.worker = worker().id();
        record.started = utc_now();
        log->begin();
        const auto start = Clock::now();
        Measurement measured = measure(ticket->cell);
        record.time_ms = 1e3 * seconds_since(start);
        std::string written = log->end();
        check_stop();
        record.ok = measured.ok;
        record.metrics = std::move(measured.metrics);
        record.error = std::move(measured.error);
        record.traceback = std::move(measured.traceback);
        if (!record.ok) record.log = std::move(written);
        finish(*ticket, record);
        progress->update(counts());
        if (options_.max_failures >= 0 && num_failed_now_ > static_cast<std::size_t>(options_.max_failures))
          throw Error(fmt::format("sweep: {} cells failed, more than max_failures = {}; the last with: {}",
                                  num_failed_now_, options_.max_failures, record.error));
        if (seconds_since(tables_at) > std::max(kTablesSeconds, 20 * tables_s)) {
          tables_at = Clock::now();
          write_tables(best);
          tables_s = seconds_since(tables_at);
          tables_at = Clock::now();
        }
      }
    } catch (const std::exception&) {
      log.reset();
      // Whatever ended the run, its finished cells are worth a table; what a full disk refuses, the next run
      // makes.
      if (progress) progress->finish(counts());
      try {
        save_session(true);
        write_tables(best);
      } catch (const Error&) {
      }
      worker_.reset();
      throw;
    }
    log.reset();
    if (progress) progress->finish(counts());
    save_session(true);
    write_tables(best);
    worker_.reset();
  });
}

void RunFolder::save_session(bool stopped) {
  if (!worker_ || !provenance_) return;
  provenance_->set("worker", worker_->id());
  provenance_->set("num_cells_run", num_run_);
  provenance_->set("num_cells_cached", num_cached_);
  provenance_->set("cached_s", cached_s_);
  if (late_facts_) {
    const Json late = late_facts_();
    for (const auto& [name, value] : late.items()) provenance_->set(name, value);
  }
  write_file_atomically(
      fmt::format("{}/workers/{}.json", path_, worker_->id()),
      provenance_->record(stopped).dump(2, ' ', false, Json::error_handler_t::replace) + "\n", false);
}

/// The latest session's record at the top, then what the folder stands for and every session, oldest first.
Json RunFolder::provenance_of_all() const {
  std::vector<Json> sessions;
  const std::string folder = path_ + "/workers";
  for (const std::string& name : names_in(folder)) {
    if (!ends_with(name, ".json")) continue;
    Json session = Json::parse(read_file(folder + "/" + name), nullptr, false);
    if (session.is_object()) sessions.push_back(std::move(session));
  }
  std::stable_sort(sessions.begin(), sessions.end(), [](const Json& a, const Json& b) {
    return a.value("started", "") < b.value("started", "");
  });
  Json all = sessions.empty() ? Json::object() : sessions.back();
  all["identity"] = identity_;
  all["sessions"] = sessions;
  return all;
}

bool RunFolder::write_tables(const std::optional<BestOptions>& best) {
  return naming_folder([&] {
    bool changed = write_if_changed(path_ + "/plan.csv", plan_->csv());
    changed |= write_if_changed(path_ + "/plan.json", Json{{"axes", plan_->axes_json()}}.dump() + "\n");
    changed |= write_if_changed(path_ + "/results.csv", results_.csv(*plan_));
    changed |= write_if_changed(path_ + "/results.jsonl", results_.jsonl(*plan_));
    changed |= write_if_changed(path_ + "/failed.csv", results_.failed_csv(*plan_));
    changed |=
        write_if_changed(path_ + "/provenance.json",
                         provenance_of_all().dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
    // Last, for it fails when the metric is misspelt.
    const Json selection =
        best && results_.num_ok() > 0 ? select_best(*plan_, results_, *best) : Json(nullptr);
    changed |= write_if_changed(path_ + "/best.json", selection.dump(2) + "\n");
    return changed;
  });
}

std::string RunFolder::fingerprint() const {
  return content_key(plan_->csv() + results_.csv(*plan_));
}

}  // namespace imatch
