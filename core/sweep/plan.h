// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/options.h"
#include "io/csv.h"

namespace imatch {

/// One swept quantity: a name and the values it takes (anything JSON can hold).
struct Axis {
  std::string name;
  std::vector<Json> values;
};

/// Points that are listed instead of combined: the columns of a table, one row a point. A null is a parameter
/// that the point does not have.
struct PointList {
  std::vector<std::string> names;
  std::vector<std::vector<Json>> rows;
};

/// The cells of a sweep, in the order in which they are run and reported. A cell is a row of value indices
/// into the axes, so that a plan of 100,000 cells stays small; its key is the content_key of its canonical
/// parameters.
class Plan {
 public:
  /// Every combination of the values; the last axis changes fastest. Equal values of an axis count once.
  /// Throws Error for an axis without name or values, a name twice or one that every result table has
  /// (cell_key, time_ms, time_spent_ms, status, error), NaN, or more than kMaxCells cells.
  explicit Plan(std::vector<Axis> axes) : Plan(PointList{}, std::move(axes)) {}
  /// Every point with every combination of the axes, which may be none; the points change slowest. What
  /// occurs twice counts once. The columns of the points are axes like the others.
  Plan(const PointList& points, std::vector<Axis> axes);
  /// The plan that a run folder tells of: the axes of plan.json and the cells of plan.csv. Throws Failure
  /// (bad_format) when they do not fit.
  static Plan of_tables(const Json& axes, const CsvTable& cells);
  Plan(Plan&&) = default;
  Plan& operator=(Plan&&) = default;
  Plan(const Plan&) = delete;  // the index holds views of the keys
  Plan& operator=(const Plan&) = delete;

  static constexpr std::size_t kMaxCells = 10'000'000;

  std::size_t size() const { return num_cells_; }
  const std::vector<Axis>& axes() const { return axes_; }
  /// Index of the axis, or -1.
  int axis(std::string_view name) const;

  /// Which value of `axis` the cell has.
  std::uint32_t value_index(std::size_t cell, std::size_t axis) const {
    return cells_[cell * axes_.size() + axis];
  }
  const Json& value(std::size_t cell, std::size_t axis) const {
    return axes_[axis].values[value_index(cell, axis)];
  }
  /// Canonical JSON of that value.
  const std::string& value_text(std::size_t axis, std::uint32_t index) const { return texts_[axis][index]; }
  /// {axis: value}, in the order of the axes, without those that the cell does not have.
  Json params(std::size_t cell) const;
  /// The same as canonical JSON: what the key is made of.
  std::string canonical_params(std::size_t cell) const;
  const std::string& key(std::size_t cell) const { return keys_[cell]; }

  /// Keeps `num_cells` cells drawn at random, in the order of the plan. Each has a rank made of the seed and
  /// its parameters, so that a larger number keeps what a smaller one drew, whatever else is on the axes.
  void sample(std::size_t num_cells, std::int64_t seed);
  /// Keeps the cells whose entry is true.
  void keep(const std::vector<bool>& wanted);
  /// Ties a cell to what else it depends on (the hash of the files it reads): its key changes with it.
  void set_inputs(std::size_t cell, std::string_view digest);

  /// Cell of that key, or -1.
  std::int64_t find(std::string_view key) const;

  /// Header and one line per cell: cell_key and the parameters.
  std::string csv() const;
  /// [{name, values}]: what plan.csv does not say of the types of the values.
  Json axes_json() const;

 private:
  Plan() = default;
  void check_axes();
  void combine(std::size_t num_point_axes, const std::vector<std::vector<std::uint32_t>>& points);
  void index_names();
  std::vector<Axis> axes_;
  std::vector<std::vector<std::string>> texts_;
  std::vector<std::size_t> by_name_;   ///< Axes sorted by name: the order of keys in canonical JSON.
  std::vector<std::string> prefixes_;  ///< `"name":` for by_name_.
  std::size_t num_cells_ = 0;
  std::vector<std::uint32_t> cells_;
  std::vector<std::string> keys_;
  mutable std::unordered_map<std::string_view, std::size_t> index_;
};

/// A JSON value as a CSV field: text without its quotes, true/false, numbers, nested values as JSON, nothing
/// for null.
std::string csv_text(const Json& value);

}  // namespace imatch
