// SPDX-License-Identifier: Apache-2.0
#include "sweep/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <unordered_set>

#include "base/error.h"
#include "base/stop.h"
#include "io/csv.h"
#include "sweep/canonical.h"

namespace imatch {
namespace {

/// The values without repetitions, and their canonical texts.
std::vector<std::string> deduplicate(Axis& axis) {
  std::vector<std::string> texts;
  std::vector<Json> values;
  std::unordered_set<std::string> seen;
  for (std::size_t i = 0; i < axis.values.size(); ++i) {
    std::string text;
    try {
      text = canonical_json(axis.values[i]);
    } catch (const Error& error) {
      throw Error(fmt::format("axes.{}[{}]: {}", axis.name, i + 1, error.what()));
    }
    if (!seen.insert(text).second) continue;
    texts.push_back(std::move(text));
    values.push_back(std::move(axis.values[i]));
  }
  axis.values = std::move(values);
  return texts;
}

}  // namespace

void Plan::check_axes() {
  if (axes_.empty()) throw Error("axes: none given; a sweep needs at least one");
  for (Axis& axis : axes_) {
    if (axis.name.empty()) throw Error("axes: an axis has no name");
    for (const char* reserved : {"cell_key", "time_ms", "time_spent_ms", "status", "error"})
      if (axis.name == reserved)
        throw Error(
            fmt::format("axes.{}: every result table has a column of that name; choose another", axis.name));
    if (axis.values.empty())
      throw Error(fmt::format("axes.{}: no values; at least one is needed", axis.name));
    texts_.push_back(deduplicate(axis));
  }
  index_names();
}

/// Axes in the order of keys in canonical JSON.
void Plan::index_names() {
  by_name_.resize(axes_.size());
  std::iota(by_name_.begin(), by_name_.end(), std::size_t{0});
  std::sort(by_name_.begin(), by_name_.end(), [&](auto a, auto b) { return axes_[a].name < axes_[b].name; });
  for (std::size_t i = 0; i < by_name_.size(); ++i) {
    const std::string& name = axes_[by_name_[i]].name;
    if (i > 0 && name == axes_[by_name_[i - 1]].name) throw Error(fmt::format("axes.{}: given twice", name));
    prefixes_.push_back(canonical_json(name) + ":");
  }
}

/// Every point (value indices of the first `num_point_axes` axes) with every combination of the other axes.
void Plan::combine(std::size_t num_point_axes, const std::vector<std::vector<std::uint32_t>>& points) {
  const auto check = [](std::size_t n, std::size_t factor) {
    if (n > kMaxCells / std::max<std::size_t>(1, factor))
      throw Error(fmt::format("axes: more than {} combinations; a sweep is limited to that", kMaxCells));
    return n * factor;
  };
  num_cells_ = num_point_axes == 0 ? 1 : points.size();
  for (std::size_t axis = num_point_axes; axis < axes_.size(); ++axis)
    num_cells_ = check(num_cells_, axes_[axis].values.size());
  cells_.resize(num_cells_ * axes_.size());
  std::vector<std::uint32_t> at(axes_.size(), 0);
  std::size_t point = 0;
  for (std::size_t cell = 0; cell < num_cells_; ++cell) {
    if (cell % 65536 == 0) check_stop();
    if (num_point_axes > 0) std::copy(points[point].begin(), points[point].end(), at.begin());
    std::copy(at.begin(), at.end(), cells_.begin() + static_cast<std::ptrdiff_t>(cell * axes_.size()));
    std::size_t axis = axes_.size();
    while (axis-- > num_point_axes) {
      if (++at[axis] < axes_[axis].values.size()) break;
      at[axis] = 0;
    }
    if (axis + 1 == num_point_axes) ++point;
  }
  keys_.reserve(num_cells_);
  for (std::size_t cell = 0; cell < num_cells_; ++cell) {
    if (cell % 1024 == 0) check_stop();
    keys_.push_back(content_key(canonical_params(cell)));
  }
}

Plan::Plan(const PointList& points, std::vector<Axis> axes) {
  const std::size_t num_columns = points.names.size();
  for (std::size_t column = 0; column < num_columns; ++column) {
    axes_.push_back({points.names[column], {}});
    for (const auto& row : points.rows) axes_.back().values.push_back(row.at(column));
  }
  for (Axis& axis : axes) axes_.push_back(std::move(axis));
  check_axes();
  std::vector<std::vector<std::uint32_t>> rows(points.rows.size());
  for (std::size_t column = 0; column < num_columns; ++column) {
    std::unordered_map<std::string_view, std::uint32_t> index;
    for (const std::string& text : texts_[column])
      index.emplace(text, static_cast<std::uint32_t>(index.size()));
    for (std::size_t i = 0; i < rows.size(); ++i)
      rows[i].push_back(index.at(canonical_json(points.rows[i][column])));
  }
  combine(num_columns, rows);
  if (num_columns == 0) return;
  std::unordered_set<std::string_view> seen;
  std::vector<bool> is_first(num_cells_);
  for (std::size_t cell = 0; cell < num_cells_; ++cell) is_first[cell] = seen.insert(keys_[cell]).second;
  keep(is_first);
}

Plan Plan::of_tables(const Json& axes, const CsvTable& cells) {
  const auto wrong = [](const std::string& what) {
    return Failure(code::kBadFormat, "plan.csv does not fit plan.json: " + what);
  };
  if (cells.header.size() != axes.size() + 1 || cells.header[0] != "cell_key") throw wrong("other columns");
  Plan plan;
  std::vector<std::unordered_map<std::string, std::uint32_t>> index;
  for (const Json& entry : axes) {
    Axis axis{entry.at("name").get<std::string>(), {}};
    for (const Json& value : entry.at("values")) axis.values.push_back(value);
    auto& texts = index.emplace_back();
    for (const Json& value : axis.values)
      texts.emplace(csv_text(value), static_cast<std::uint32_t>(&value - axis.values.data()));
    plan.axes_.push_back(std::move(axis));
  }
  plan.check_axes();
  plan.num_cells_ = cells.rows.size();
  for (const auto& row : cells.rows) {
    plan.keys_.push_back(row[0]);
    for (std::size_t axis = 0; axis < index.size(); ++axis) {
      const auto found = index[axis].find(row[axis + 1]);
      if (found == index[axis].end())
        throw wrong(fmt::format("{} has no value '{}'", plan.axes_[axis].name, row[axis + 1]));
      plan.cells_.push_back(found->second);
    }
  }
  return plan;
}

int Plan::axis(std::string_view name) const {
  for (std::size_t i = 0; i < axes_.size(); ++i)
    if (axes_[i].name == name) return static_cast<int>(i);
  return -1;
}

Json Plan::params(std::size_t cell) const {
  Json table = Json::object();
  for (std::size_t axis = 0; axis < axes_.size(); ++axis)
    if (!value(cell, axis).is_null()) table[axes_[axis].name] = value(cell, axis);
  return table;
}

std::string Plan::canonical_params(std::size_t cell) const {
  std::string text = "{";
  for (std::size_t i = 0; i < by_name_.size(); ++i) {
    if (value(cell, by_name_[i]).is_null()) continue;
    if (text.size() > 1) text += ',';
    text += prefixes_[i];
    text += texts_[by_name_[i]][value_index(cell, by_name_[i])];
  }
  text += '}';
  return text;
}

void Plan::sample(std::size_t num_cells, std::int64_t seed) {
  if (num_cells >= num_cells_) return;
  std::vector<std::pair<std::int64_t, std::size_t>> ranks;
  ranks.reserve(num_cells_);
  for (std::size_t cell = 0; cell < num_cells_; ++cell)
    ranks.emplace_back(cell_seed(seed, keys_[cell]), cell);
  std::nth_element(ranks.begin(), ranks.begin() + static_cast<std::ptrdiff_t>(num_cells), ranks.end());
  std::vector<bool> drawn(num_cells_, false);
  for (std::size_t i = 0; i < num_cells; ++i) drawn[ranks[i].second] = true;
  keep(drawn);
}

void Plan::keep(const std::vector<bool>& wanted) {
  if (wanted.size() != num_cells_)
    throw Error(fmt::format("plan: {} decisions for {} cells", wanted.size(), num_cells_));
  const std::size_t width = axes_.size();
  std::size_t kept = 0;
  for (std::size_t cell = 0; cell < num_cells_; ++cell) {
    if (!wanted[cell]) continue;
    std::copy_n(cells_.begin() + static_cast<std::ptrdiff_t>(cell * width), width,
                cells_.begin() + static_cast<std::ptrdiff_t>(kept * width));
    if (kept != cell) keys_[kept] = std::move(keys_[cell]);
    ++kept;
  }
  num_cells_ = kept;
  cells_.resize(kept * width);
  keys_.resize(kept);
  index_.clear();
}

void Plan::set_inputs(std::size_t cell, std::string_view digest) {
  keys_.at(cell) = content_key(fmt::format("{}\n{}", canonical_params(cell), digest));
  index_.clear();
}

std::int64_t Plan::find(std::string_view key) const {
  if (index_.empty())
    for (std::size_t cell = 0; cell < num_cells_; ++cell) index_.emplace(keys_[cell], cell);
  const auto found = index_.find(key);
  return found == index_.end() ? -1 : static_cast<std::int64_t>(found->second);
}

std::string Plan::csv() const {
  std::string out = "cell_key";
  std::vector<std::vector<std::string>> fields(axes_.size());
  for (std::size_t axis = 0; axis < axes_.size(); ++axis) {
    out += ',';
    append_csv_field(out, axes_[axis].name);
    for (const Json& value : axes_[axis].values) {
      fields[axis].emplace_back();
      append_csv_field(fields[axis].back(), csv_text(value));
    }
  }
  out += '\n';
  for (std::size_t cell = 0; cell < num_cells_; ++cell) {
    out += keys_[cell];
    for (std::size_t axis = 0; axis < axes_.size(); ++axis) {
      out += ',';
      out += fields[axis][value_index(cell, axis)];
    }
    out += '\n';
  }
  return out;
}

Json Plan::axes_json() const {
  Json list = Json::array();
  for (const Axis& axis : axes_) list.push_back({{"name", axis.name}, {"values", axis.values}});
  return list;
}

std::string csv_text(const Json& value) {
  if (value.is_null()) return "";
  return value.is_string() ? value.get<std::string>() : canonical_json(value);
}

}  // namespace imatch
