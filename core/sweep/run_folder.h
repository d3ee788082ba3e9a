// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <ctime>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/progress.h"
#include "base/temporary_folder.h"
#include "sweep/best.h"
#include "sweep/cell_progress.h"
#include "sweep/claim.h"
#include "sweep/output_log.h"
#include "sweep/plan.h"
#include "sweep/provenance.h"
#include "sweep/results.h"
#include "sweep/siblings.h"
#include "sweep/worker.h"

namespace imatch {

struct RunOptions {
  bool retry_failed = false;  ///< Measure the cells again that failed in an earlier run.
  int max_failures = -1;      ///< Give up when more cells than this fail in this run; -1: never.
  bool durable = false;       ///< Flush every cell to the disk.
  bool quiet = false;         ///< No progress on standard error.
  std::vector<std::string> stale_workers = {};  ///< Cells that these measured are measured again.
  std::vector<std::string> siblings = {};       ///< Run folders whose finished cells count here too.

  static constexpr auto fields = std::tuple{
      field("retry_failed", &RunOptions::retry_failed, anything(),
            "Measure the cells again that failed in an earlier run."),
      field("max_failures", &RunOptions::max_failures, at_least(-1),
            "Give up when more cells than this fail in this run; -1: never, every failure is "
            "recorded and the rest goes on."),
      field("durable", &RunOptions::durable, anything(),
            "Flush every cell to the disk, against power failure; finished cells survive a killed "
            "process either way."),
      field("quiet", &RunOptions::quiet, anything(), "No progress on standard error."),
      field("stale_workers", &RunOptions::stale_workers, anything(),
            "Cells that these workers measured are measured again: what they read meanwhile has changed."),
      field(
          "siblings", &RunOptions::siblings, anything(),
          "Run folders whose finished cells count here too; they are taken over once this one is written.")};
};

/// What became of one cell.
struct Measurement {
  bool ok = true;
  Json metrics = Json::object();
  std::string error;
  std::string traceback;
};

/// A folder of finished cells, shared by any number of processes without a server:
///
///   cells/<key>.json    one finished cell, written atomically; everything else can be made again from these
///   cells/<key>.claim   a worker is measuring this cell (claim.h); cells/<key>.progress how far it is
///   cells/<key>.crash   how the process ended that measured this cell and was ended by it (last_words.h)
///   checkpoints/<key>/  what a measurement keeps of its work so far, for whoever goes on with it
///   workers/<id>.json   provenance of each process that measured cells; <id>.alive while it lives (worker.h)
///   plan.json plan.csv results.csv results.jsonl failed.csv best.json provenance.json   of the plan at hand
///
/// A killed process loses the cell it was measuring, apart from what it keeps in checkpoints/, and nothing
/// else. A record that cannot be read is measured again. A cell that has ended its process is recorded as
/// failed by whoever comes next, so that the others go on; so is one without checkpoints that
/// kMostDeadOwners processes did not survive, such as one that the system kills for its memory.
class RunFolder {
 public:
  /// Reads what is finished; makes nothing yet, so that a run with nothing to do leaves no trace.
  /// `identity` is what the folder's name is a hash of, kept in provenance.json.
  RunFolder(std::string path, std::shared_ptr<const Plan> plan, Json identity, RunOptions options = {});
  ~RunFolder();
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;

  const std::string& path() const { return path_; }
  const Plan& plan() const { return *plan_; }
  const ResultTable& results() const { return results_; }
  std::size_t num_cached() const { return num_cached_; }
  const std::vector<std::string>& siblings() const { return options_.siblings; }
  /// Cells measured by this object.
  std::size_t num_run() const { return num_run_; }
  /// Time that measuring the finished cells took which were there when the folder was opened.
  double cached_s() const;
  /// The whole record of a cell, as it stands in the folder. Throws Failure (not_found, bad_format).
  CellRecord record(std::size_t cell) const;
  /// Records that could not be read when the folder was opened.
  const std::vector<std::string>& damaged() const { return damaged_; }

  /// Who measures: see Provenance. To be called before run(); gathered only when a cell is measured.
  /// `late_facts` is asked whenever the record is written, for what becomes known only while measuring: the
  /// weights of opened models; it is written before a cell's record whenever `late_version` is another
  /// number.
  void describe(std::string script, Json facts, std::function<Json()> late_facts = {},
                std::function<std::size_t()> late_version = {});

  /// Measures every cell that nobody has finished, waits for those that other workers hold (and takes over
  /// the cells of dead ones), then writes the tables. A cell for which `measure` returns ok = false is
  /// recorded, and the rest goes on. When a stop is asked for, the finished cells are kept, the tables are
  /// written and Interrupted is thrown. Throws Failure (unwritable, no_space), naming the folder; Error
  /// beyond max_failures.
  /// `on_tables` is called whenever the tables were brought up to date while the run goes on.
  void run(const std::function<Measurement(std::size_t cell)>& measure,
           const std::optional<BestOptions>& best, std::int64_t sweep_seed, const std::string& progress_name,
           std::function<void()> on_tables = {});

  /// For a long measurement, while it goes on: how far it is. Shown behind the progress of the run, and once
  /// a second to others. Throws Error when another worker has taken the cell over, Failure (unwritable,
  /// no_space), Interrupted. Nothing happens for a cell that run() is not measuring.
  void report(std::size_t cell, const ProgressState& state);
  /// For a long measurement, while it goes on: a folder in which it may keep parts of its work. It is there
  /// again for whoever measures the cell after an interruption, a kill or a failure, and removed once the
  /// cell is finished. Throws as report() does. A cell that run() is not measuring gets an empty folder that
  /// nobody else sees and nobody keeps.
  std::string checkpoint_folder(std::size_t cell);

  /// Makes the folder and what tells others of the run, before the first cell: plan and provenance. Throws
  /// Failure (unwritable, no_space).
  void begin();

  /// How far the cells are that are being measured, or were when their workers were stopped; in the order of
  /// the plan.
  std::vector<std::pair<std::size_t, CellProgress>> unfinished() const;

  /// The run in a folder that another process made, to look at: its plan is that of the last sweep there.
  /// Throws Failure (not_found, bad_format).
  static std::shared_ptr<RunFolder> read(const std::string& path);

  /// Makes the tables from the cells, and writes those that differ from what is there. True when one did.
  bool write_tables(const std::optional<BestOptions>& best);
  /// Calls `write` once the tables of this plan are there, while no other process can put those of another
  /// plan in their place: two sweeps that differ in their axes share a folder.
  void with_tables(const std::optional<BestOptions>& best, const std::function<void()>& write);

  /// Hash of plan and results.
  std::string results_key() const;

 private:
  struct Ticket {
    std::size_t cell;
    Claim claim;
  };

  /// The cell that is being measured.
  struct Attempt {
    Ticket ticket;
    std::optional<ProgressState> progress;
    std::chrono::steady_clock::time_point published{};
  };

  static constexpr int kMostDeadOwners = 3;

  std::string cell_path(std::size_t cell) const;
  std::string crash_path(std::size_t cell) const;
  std::string progress_path(std::size_t cell) const;
  std::string checkpoint_path(std::size_t cell) const;
  void read_finished();
  void read_siblings();
  void take_over();
  bool load(std::size_t cell);
  void load_new();
  std::optional<Ticket> next();
  void wait_for_others();
  void finish(const Ticket& ticket, const CellRecord& record);
  std::optional<CellRecord> record_of_dead(const Ticket& ticket) const;
  Worker& worker();
  void remove_leftovers(const std::vector<std::string>& names) const;
  CellRecord measured(const std::function<Measurement(std::size_t cell)>& measure, std::int64_t sweep_seed,
                      OutputLog& log);
  bool write_description();
  void refresh_tables();
  void require_claim() const;
  void end_run();
  ProgressState progress_state() const;
  void save_session(bool stopped);
  Json provenance_of_all() const;
  void naming_folder(const std::function<void()>& action) const;

  std::string path_;
  std::shared_ptr<const Plan> plan_;
  Json identity_;
  RunOptions options_;
  ResultTable results_;
  std::size_t num_cached_ = 0, num_run_ = 0, num_failed_now_ = 0;
  double cached_s_ = 0;
  std::vector<std::string> damaged_;

  std::vector<FinishedElsewhere> elsewhere_;  ///< What take_over() takes.

  std::vector<std::size_t> queue_;  ///< Cells to look at, in the order of the plan.
  std::size_t at_ = 0;
  std::vector<std::size_t> held_by_others_;
  std::size_t finished_at_last_pass_ = 0;
  int wait_ms_ = 0;
  std::unordered_map<std::size_t, timespec>
      retried_;  ///< When the failed record was written that is to be replaced.

  std::string script_;
  Json facts_ = Json::object();
  std::function<Json()> late_facts_;
  std::function<std::size_t()> late_version_;
  std::size_t saved_version_ = 0;
  std::unique_ptr<Worker> worker_;
  std::unique_ptr<Provenance> provenance_;

  // While run() goes on.
  std::unique_ptr<Progress> progress_;
  std::unique_ptr<Attempt> attempt_;
  std::optional<BestOptions> best_;
  std::function<void()> on_tables_;
  std::chrono::steady_clock::time_point tables_at_;
  double tables_s_ = 0;
  std::int64_t sweep_seed_ = 0;
  int num_locks_ = 0;

  std::unique_ptr<TemporaryFolder> scratch_;
};

}  // namespace imatch
