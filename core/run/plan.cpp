// SPDX-License-Identifier: Apache-2.0
#include "run/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <unordered_set>

#include "base/error.h"
#include "run/canonical.h"

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

Plan::Plan(std::vector<Axis> axes) : axes_(std::move(axes)) {
  if (axes_.empty()) throw Error("axes: none given; a sweep needs at least one");
  num_cells_ = 1;
  for (Axis& axis : axes_) {
    if (axis.name.empty()) throw Error("axes: an axis has no name");
    for (const char* reserved : {"cell_key", "time_ms", "status", "error"})
      if (axis.name == reserved)
        throw Error(
            fmt::format("axes.{}: every result table has a column of that name; choose another", axis.name));
    if (axis.values.empty())
      throw Error(fmt::format("axes.{}: no values; at least one is needed", axis.name));
    texts_.push_back(deduplicate(axis));
    if (num_cells_ > kMaxCells / axis.values.size())
      throw Error(fmt::format("axes: more than {} combinations; a sweep is limited to that", kMaxCells));
    num_cells_ *= axis.values.size();
  }

  by_name_.resize(axes_.size());
  std::iota(by_name_.begin(), by_name_.end(), std::size_t{0});
  std::sort(by_name_.begin(), by_name_.end(), [&](auto a, auto b) { return axes_[a].name < axes_[b].name; });
  for (std::size_t i = 0; i < by_name_.size(); ++i) {
    const std::string& name = axes_[by_name_[i]].name;
    if (i > 0 && name == axes_[by_name_[i - 1]].name) throw Error(fmt::format("axes.{}: given twice", name));
    prefixes_.push_back((i == 0 ? "{" : ",") + canonical_json(name) + ":");
  }

  cells_.resize(num_cells_ * axes_.size());
  std::vector<std::uint32_t> at(axes_.size(), 0);
  for (std::size_t cell = 0; cell < num_cells_; ++cell) {
    std::copy(at.begin(), at.end(), cells_.begin() + static_cast<std::ptrdiff_t>(cell * axes_.size()));
    for (std::size_t axis = axes_.size(); axis-- > 0;) {
      if (++at[axis] < axes_[axis].values.size()) break;
      at[axis] = 0;
    }
  }
  keys_.reserve(num_cells_);
  for (std::size_t cell = 0; cell < num_cells_; ++cell) keys_.push_back(content_key(canonical_params(cell)));
}

int Plan::axis(std::string_view name) const {
  for (std::size_t i = 0; i < axes_.size(); ++i)
    if (axes_[i].name == name) return static_cast<int>(i);
  return -1;
}

Json Plan::params(std::size_t cell) const {
  Json table = Json::object();
  for (std::size_t axis = 0; axis < axes_.size(); ++axis) table[axes_[axis].name] = value(cell, axis);
  return table;
}

std::string Plan::canonical_params(std::size_t cell) const {
  std::string text;
  for (std::size_t i = 0; i < by_name_.size(); ++i) {
    text += prefixes_[i];
    text += texts_[by_name_[i]][value_index(cell, by_name_[i])];
  }
  text += '}';
  return text;
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
    append_csv(out, axes_[axis].name);
    for (const Json& value : axes_[axis].values) {
      fields[axis].emplace_back();
      append_csv(fields[axis].back(), csv_text(value));
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

void append_csv(std::string& out, std::string_view field) {
  if (field.find_first_of(",\"\n\r") == std::string_view::npos) {
    out += field;
    return;
  }
  out += '"';
  for (const char c : field) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

std::string csv_text(const Json& value) {
  return value.is_string() ? value.get<std::string>() : canonical_json(value);
}

}  // namespace imatch
