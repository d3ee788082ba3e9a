// SPDX-License-Identifier: Apache-2.0
// How the cells of a run folder are measured: the worker, its claims, the cell at hand.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "base/file_writer.h"
#include "base/interrupt_note.h"
#include "base/saved_time.h"
#include "base/stop.h"
#include "sweep/canonical.h"
#include "sweep/folder_lock.h"
#include "sweep/last_words.h"
#include "sweep/run_folder.h"

namespace imatch {
namespace {

using Clock = std::chrono::steady_clock;

/// The tables are brought up to date while a run goes on, at this interval and never for more than a
/// twentieth of it.
constexpr double kTablesSeconds = 15;
constexpr int kLongestWaitMs = 500;
/// A cell's progress is written for others at most so often.
constexpr double kPublishSeconds = 1;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

/// Turns "cells/x.json: cannot write" into one message with the folder and what it means for the run.
void RunFolder::naming_folder(const std::function<void()>& action) const {
  try {
    action();
  } catch (const Failure& failure) {
    if (failure.code() != code::kNoSpace && failure.code() != code::kUnwritable) throw;
    throw Failure(failure.code(),
                  fmt::format("run folder {}: {} ({}). {} finished cells are kept; run again to go on", path_,
                              failure.code() == code::kNoSpace ? "the disk is full" : "cannot be written",
                              failure.what(), results_.size() - results_.num_pending()));
  }
}

Worker& RunFolder::worker() {
  if (!worker_) {
    make_folder(path_ + "/cells");
    take_over();
    worker_ = std::make_unique<Worker>(path_);
    provenance_ = std::make_unique<Provenance>(script_, facts_);
    save_session(false);
    std::optional<FolderLock> lock;
    if (num_locks_ == 0) lock.emplace(path_ + "/cells");
    write_description();
  }
  return *worker_;
}

void RunFolder::describe(std::string script, Json facts, std::function<Json()> late_facts,
                         std::function<std::size_t()> late_version) {
  script_ = std::move(script);
  facts_ = std::move(facts);
  late_facts_ = std::move(late_facts);
  late_version_ = std::move(late_version);
}

void RunFolder::save_session(bool stopped) {
  if (!worker_ || !provenance_) return;
  provenance_->set("worker", worker_->id());
  provenance_->set("num_cells_run", num_run_);
  provenance_->set("num_cells_cached", num_cached_);
  provenance_->set("cached_s", cached_s_);
  if (late_version_) saved_version_ = late_version_();
  if (late_facts_) {
    const Json late = late_facts_();
    for (const auto& [name, value] : late.items()) provenance_->set(name, value);
  }
  write_file_atomically(
      fmt::format("{}/workers/{}.json", path_, worker_->id()),
      provenance_->record(stopped).dump(2, ' ', false, Json::error_handler_t::replace) + "\n", false);
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
    if (claim) {
      Ticket ticket{cell, std::move(*claim)};
      const auto record = record_of_dead(ticket);
      if (!record) return ticket;
      finish(ticket, *record);
      continue;
    }
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

/// The record of a cell that has ended the process which measured it before; nothing where it did not, or
/// where failed cells are measured again.
std::optional<CellRecord> RunFolder::record_of_dead(const Ticket& ticket) const {
  const auto words = read_last_words(crash_path(ticket.cell));
  std::error_code ignored;
  const int num_dead = ticket.claim.num_dead_owners();
  const bool is_deadly = words || (num_dead >= kMostDeadOwners &&
                                   !std::filesystem::exists(checkpoint_path(ticket.cell), ignored));
  if (!is_deadly) return std::nullopt;
  if (options_.retry_failed) {
    ::unlink(crash_path(ticket.cell).c_str());
    return std::nullopt;
  }
  CellRecord record;
  record.key = plan_->key(ticket.cell);
  record.params = plan_->params(ticket.cell);
  record.seed = cell_seed(sweep_seed_, record.key);
  record.ok = false;
  record.error =
      words ? fmt::format("the cell ended the process that measured it: {}", described_end(words->reason))
            : fmt::format(
                  "{} processes ended while they measured this cell, killed without a word; is there "
                  "memory enough?",
                  num_dead);
  record.traceback = record.error;
  record.worker = words ? words->worker : "";
  record.started = words ? words->started : utc_now();
  if (words) record.log = words->log;
  if (!options_.quiet)
    std::fprintf(stderr, "sweep: cell %s counts as failed: %s\n", record.key.c_str(), record.error.c_str());
  return record;
}

void RunFolder::finish(const Ticket& ticket, const CellRecord& record) {
  // Stopped for so long that another worker took over: its result counts, wait for it.
  if (!ticket.claim.still_held()) {
    held_by_others_.push_back(ticket.cell);
    return;
  }
  if (late_version_ && late_version_() != saved_version_) save_session(false);
  write_file_atomically(cell_path(ticket.cell), to_text(record), options_.durable);
  if (options_.durable) flush_name(cell_path(ticket.cell));
  results_.set(ticket.cell, record);
  ++num_run_;
  if (!record.ok) ++num_failed_now_;
  ::unlink(progress_path(ticket.cell).c_str());
  ::unlink(crash_path(ticket.cell).c_str());
  std::error_code ignored;  // what a failed cell has kept serves whoever retries it
  if (record.ok) std::filesystem::remove_all(checkpoint_path(ticket.cell), ignored);
}

ProgressState RunFolder::progress_state() const {
  const std::size_t finished = results_.size() - results_.num_pending();
  return {.total = results_.size(),
          .cached = num_cached_,
          .done = finished - num_cached_,
          .failed = results_.num_failed(),
          .numbers = {}};
}

/// The claim on the cell at hand still counts.
void RunFolder::require_claim() const {
  if (!attempt_->ticket.claim.still_held())
    throw Error(
        fmt::format("sweep: this process was stopped for so long that another worker has taken over cell {}",
                    plan_->key(attempt_->ticket.cell)));
}

void RunFolder::report(std::size_t cell, const ProgressState& state) {
  check_stop();
  if (!attempt_ || attempt_->ticket.cell != cell) return;
  attempt_->progress = state;
  ProgressState all = progress_state();
  all.numbers = state.numbers;
  if (state.total > 0)
    all.part = std::min(0.999, static_cast<double>(state.done) / static_cast<double>(state.total));
  progress_->update(std::move(all));
  if (seconds_since(attempt_->published) < kPublishSeconds) return;
  attempt_->published = Clock::now();
  require_claim();
  naming_folder([&] {
    write_cell_progress(progress_path(cell),
                        {.key = plan_->key(cell), .state = state, .worker = worker().id(), .age_s = 0});
  });
  refresh_tables();
}

std::string RunFolder::checkpoint_folder(std::size_t cell) {
  check_stop();
  const bool is_at_hand = attempt_ && attempt_->ticket.cell == cell;
  if (!is_at_hand && !scratch_) scratch_ = std::make_unique<TemporaryFolder>();
  const std::string folder =
      is_at_hand ? checkpoint_path(cell) : fmt::format("{}/{}", scratch_->path(), plan_->key(cell));
  if (is_at_hand)
    require_claim();
  else
    std::filesystem::remove_all(folder);
  naming_folder([&] { make_folder(folder); });
  return folder;
}

void RunFolder::refresh_tables() {
  if (seconds_since(tables_at_) <= std::max(kTablesSeconds, 20 * tables_s_)) return;
  const auto start = Clock::now();
  with_tables(best_, [&] {
    if (on_tables_) on_tables_();
  });
  tables_s_ = seconds_since(start);
  tables_at_ = Clock::now();
}

/// Measures the cell at hand.
CellRecord RunFolder::measured(const std::function<Measurement(std::size_t cell)>& measure,
                               std::int64_t sweep_seed, OutputLog& log) {
  const std::size_t cell = attempt_->ticket.cell;
  CellRecord record;
  record.key = plan_->key(cell);
  record.params = plan_->params(cell);
  record.seed = cell_seed(sweep_seed, record.key);
  record.worker = worker().id();
  record.started = utc_now();
  log.begin(std::filesystem::absolute(crash_path(cell)).string(),
            last_words_head(record.worker, record.started));
  const double saved_before_ms = saved_ms();
  const Stopwatch watch;
  Measurement measurement = measure(cell);
  record.time_spent_ms = watch.ms();
  record.time_ms = record.time_spent_ms + saved_ms() - saved_before_ms;
  std::string written = log.end();
  progress_->end_inner();
  check_stop();
  record.ok = measurement.ok;
  record.metrics = std::move(measurement.metrics);
  record.error = std::move(measurement.error);
  record.traceback = std::move(measurement.traceback);
  if (!record.ok) record.log = std::move(written);
  if (attempt_->progress) record.progress = progress_json(*attempt_->progress);
  return record;
}

/// Whatever ends a run, its finished cells are worth a table.
void RunFolder::end_run() {
  attempt_.reset();
  progress_.reset();
  save_session(true);
  write_tables(best_);
}

void RunFolder::run(const std::function<Measurement(std::size_t cell)>& measure,
                    const std::optional<BestOptions>& best, std::int64_t sweep_seed,
                    const std::string& progress_name, std::function<void()> on_tables) {
  best_ = best;
  sweep_seed_ = sweep_seed;
  on_tables_ = std::move(on_tables);
  tables_at_ = Clock::now();
  naming_folder([&] {
    std::optional<OutputLog> log;
    if (!queue_.empty()) {
      progress_ = std::make_unique<Progress>(
          ProgressOptions{.name = progress_name, .unit = "cells", .quiet = options_.quiet});
      log.emplace();
    }
    try {
      while (auto ticket = next()) {
        attempt_ = std::make_unique<Attempt>(Attempt{std::move(*ticket), std::nullopt, {}});
        const CellRecord record = measured(measure, sweep_seed, *log);
        finish(attempt_->ticket, record);
        attempt_.reset();
        progress_->update(progress_state());
        if (options_.max_failures >= 0 && num_failed_now_ > static_cast<std::size_t>(options_.max_failures))
          throw Error(fmt::format("sweep: {} cells failed, more than max_failures = {}; the last with: {}",
                                  num_failed_now_, options_.max_failures, record.error));
        refresh_tables();
      }
      if (progress_) progress_->update(progress_state());  // with what others finished in the end
    } catch (const std::exception& error) {
      if (dynamic_cast<const Interrupted*>(&error))
        set_interrupt_note(fmt::format(
            "{} of {} cells are finished and kept in {}; the same command goes on with the others",
            results_.size() - results_.num_pending(), results_.size(), path_));
      log.reset();
      try {
        end_run();
      } catch (const Error&) {  // what a full disk refuses, the next run makes
      }
      worker_.reset();
      throw;
    }
    log.reset();
    end_run();
    worker_.reset();
  });
}

}  // namespace imatch
