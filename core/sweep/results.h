// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "sweep/cell.h"
#include "sweep/plan.h"

namespace imatch {

/// One entry of a result table.
struct Scalar {
  enum class Kind : std::uint8_t { kMissing, kNumber, kBoolean, kText, kNested };
  Kind kind = Kind::kMissing;
  double number = 0;                  ///< Also 0 or 1 for booleans.
  const std::string* text = nullptr;  ///< Text, or canonical JSON of a nested value; owned by the table.
};

/// The results of a plan's cells, column by column. Columns are the metrics, sorted by name; rows are the
/// cells in the order of the plan, whatever the order in which they were finished.
class ResultTable {
 public:
  enum class Status : std::uint8_t { kPending, kOk, kFailed };

  explicit ResultTable(std::size_t num_cells);

  /// Enters the record of a cell, replacing an earlier one.
  void set(std::size_t cell, const CellRecord& record);

  std::size_t size() const { return status_.size(); }
  std::size_t num_ok() const { return num_ok_; }
  std::size_t num_failed() const { return num_failed_; }
  std::size_t num_pending() const { return size() - num_ok_ - num_failed_; }
  Status status(std::size_t cell) const { return status_[cell]; }
  /// Time of the measurement as if nothing had come from a cache, or the metric time_ms where it reports one.
  double time_ms(std::size_t cell) const { return time_ms_[cell]; }
  /// Wall time of the measurement, or the metric time_spent_ms; 0 for a pending cell.
  double time_spent_ms(std::size_t cell) const { return time_spent_ms_[cell]; }
  const std::string& error(std::size_t cell) const;
  /// What the cell told last of its progress; null when it told nothing.
  Json progress(std::size_t cell) const;

  /// Names of all metrics seen, sorted.
  std::vector<std::string> metrics() const;
  /// Missing when the cell lacks the metric. "time_ms" and "time_spent_ms" are metrics as well.
  Scalar get(std::size_t cell, std::string_view metric) const;
  /// The metrics of one cell.
  Json metrics_of(std::size_t cell) const;

  /// cell_key, parameters, metrics, time_ms, time_spent_ms, status, error: one line per finished cell.
  /// Infinite numbers as inf.
  std::string csv(const Plan& plan) const;
  /// The same as one JSON object per line. JSON has no infinity: such a number is null there.
  std::string jsonl(const Plan& plan) const;
  /// The failed cells: cell_key, parameters, error.
  std::string failed_csv(const Plan& plan) const;

 private:
  struct Column {
    std::string name;
    std::vector<Scalar> entries;
  };
  Column& column(const std::string& name);
  const Column* find(std::string_view name) const;
  std::vector<const Column*> sorted_columns() const;

  std::vector<Status> status_;
  std::vector<double> time_ms_;
  std::vector<double> time_spent_ms_;
  std::unordered_map<std::size_t, std::string> errors_;
  std::unordered_map<std::size_t, Json> progress_;
  std::deque<Column> columns_;
  std::unordered_map<std::string, std::size_t> column_of_;  ///< By name.
  std::unordered_set<std::string> texts_;
  std::size_t num_ok_ = 0;
  std::size_t num_failed_ = 0;
};

/// Parameters, metrics and times of a cell with its cell_key, status ("pending", "ok", "failed") and error.
Json result_row(const Plan& plan, const ResultTable& results, std::size_t cell);

/// Throws Error when `metrics` has a name that a table of this plan cannot hold: that of an axis, cell_key,
/// status or error.
void check_metric_names(const Json& metrics, const Plan& plan);

}  // namespace imatch
