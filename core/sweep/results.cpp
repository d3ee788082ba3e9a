// SPDX-License-Identifier: Apache-2.0
#include "sweep/results.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/error.h"
#include "base/json_member.h"
#include "io/csv.h"
#include "io/json_file.h"
#include "sweep/canonical.h"

namespace imatch {
namespace {

constexpr const char* kTime = "time_ms";
constexpr const char* kTimeSpent = "time_spent_ms";

std::string number_text(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  return canonical_number(value);
}

/// The first line: what a table has room for.
std::string_view first_line(std::string_view text) {
  return text.substr(0, text.find_first_of("\r\n"));
}

void append_csv_entry(std::string& out, const Scalar& entry) {
  switch (entry.kind) {
    case Scalar::Kind::kMissing:
      return;
    case Scalar::Kind::kNumber:
      out += number_text(entry.number);
      return;
    case Scalar::Kind::kBoolean:
      out += entry.number != 0 ? "true" : "false";
      return;
    case Scalar::Kind::kText:
    case Scalar::Kind::kNested:
      append_csv_field(out, *entry.text);
      return;
  }
}

void append_json(std::string& out, const Scalar& entry) {
  switch (entry.kind) {
    case Scalar::Kind::kMissing:
      out += "null";
      return;
    case Scalar::Kind::kNumber:
      out += std::isfinite(entry.number) ? canonical_number(entry.number) : "null";
      return;
    case Scalar::Kind::kBoolean:
      out += entry.number != 0 ? "true" : "false";
      return;
    case Scalar::Kind::kText:
      out += quoted_json(*entry.text);
      return;
    case Scalar::Kind::kNested:
      out += *entry.text;
      return;
  }
}

/// Canonical JSON, with null for what JSON cannot hold.
Json finite(const Json& value) {
  if (value.is_number_float() && !std::isfinite(value.get<double>())) return nullptr;
  if (!value.is_structured()) return value;
  Json copy = value;
  for (Json& item : copy) item = finite(item);
  return copy;
}

}  // namespace

ResultTable::ResultTable(std::size_t num_cells)
    : status_(num_cells, Status::kPending), time_ms_(num_cells, 0), time_spent_ms_(num_cells, 0) {}

ResultTable::Column& ResultTable::column(const std::string& name) {
  const auto [found, is_new] = column_of_.emplace(name, columns_.size());
  if (is_new) columns_.push_back({name, std::vector<Scalar>(size())});
  return columns_[found->second];
}

const ResultTable::Column* ResultTable::find(std::string_view name) const {
  const auto found = column_of_.find(std::string(name));
  return found == column_of_.end() ? nullptr : &columns_[found->second];
}

std::vector<const ResultTable::Column*> ResultTable::sorted_columns() const {
  std::vector<const Column*> sorted;
  for (const Column& c : columns_)
    if (std::any_of(c.entries.begin(), c.entries.end(),
                    [](const Scalar& entry) { return entry.kind != Scalar::Kind::kMissing; }))
      sorted.push_back(&c);
  std::sort(sorted.begin(), sorted.end(), [](auto a, auto b) { return a->name < b->name; });
  return sorted;
}

void ResultTable::set(std::size_t cell, const CellRecord& record) {
  Status& status = status_.at(cell);
  if (status == Status::kOk) {
    --num_ok_;
    for (Column& c : columns_) c.entries[cell] = {};
  } else if (status == Status::kFailed) {
    --num_failed_;
    errors_.erase(cell);
  }
  time_ms_[cell] = record.time_ms;
  time_spent_ms_[cell] = record.time_spent_ms;
  progress_.erase(cell);
  if (!record.progress.is_null()) progress_[cell] = record.progress;
  status = record.ok ? Status::kOk : Status::kFailed;
  if (!record.ok) {
    ++num_failed_;
    errors_[cell] = record.error;
    return;
  }
  ++num_ok_;
  for (const auto& [name, value] : record.metrics.items()) {
    if ((name == kTime || name == kTimeSpent) && value.is_number()) {
      (name == kTime ? time_ms_ : time_spent_ms_)[cell] = value.get<double>();
      continue;
    }
    Scalar entry;
    if (value.is_number())
      entry = {Scalar::Kind::kNumber, value.get<double>(), nullptr};
    else if (value.is_boolean())
      entry = {Scalar::Kind::kBoolean, value.get<bool>() ? 1.0 : 0.0, nullptr};
    else if (value.is_string())
      entry = {Scalar::Kind::kText, 0, &*texts_.insert(value.get<std::string>()).first};
    else if (value.is_structured())
      entry = {Scalar::Kind::kNested, 0, &*texts_.insert(canonical_json(finite(value))).first};
    else
      continue;
    column(name).entries[cell] = entry;
  }
}

const std::string& ResultTable::error(std::size_t cell) const {
  static const std::string none;
  const auto found = errors_.find(cell);
  return found == errors_.end() ? none : found->second;
}

std::vector<std::string> ResultTable::metrics() const {
  std::vector<std::string> names;
  for (const Column* c : sorted_columns()) names.push_back(c->name);
  return names;
}

Scalar ResultTable::get(std::size_t cell, std::string_view metric) const {
  if (status_.at(cell) != Status::kOk) return {};
  if (metric == kTime) return {Scalar::Kind::kNumber, time_ms_[cell], nullptr};
  if (metric == kTimeSpent) return {Scalar::Kind::kNumber, time_spent_ms_[cell], nullptr};
  const Column* c = find(metric);
  return c ? c->entries[cell] : Scalar{};
}

Json ResultTable::metrics_of(std::size_t cell) const {
  Json table = Json::object();
  if (status_.at(cell) != Status::kOk) return table;
  for (const Column* c : sorted_columns()) {
    const Scalar& entry = c->entries[cell];
    switch (entry.kind) {
      case Scalar::Kind::kMissing:
        break;
      case Scalar::Kind::kNumber:
        append_member(table, c->name, entry.number);
        break;
      case Scalar::Kind::kBoolean:
        append_member(table, c->name, entry.number != 0);
        break;
      case Scalar::Kind::kText:
        append_member(table, c->name, *entry.text);
        break;
      case Scalar::Kind::kNested:
        append_member(table, c->name, parse_json(*entry.text, c->name));
        break;
    }
  }
  for (const auto& [name, time] :
       {std::pair(kTime, time_ms_[cell]), std::pair(kTimeSpent, time_spent_ms_[cell])})
    if (find(name))  // one that is no number
      table[name] = time;
    else
      append_member(table, name, time);
  return table;
}

std::string ResultTable::csv(const Plan& plan) const {
  const auto columns = sorted_columns();
  std::string out = "cell_key";
  for (const Axis& axis : plan.axes()) append_csv_field(out += ',', axis.name);
  for (const Column* c : columns) append_csv_field(out += ',', c->name);
  out += ",time_ms,time_spent_ms,status,error\n";

  std::vector<std::vector<std::string>> fields;
  for (const Axis& axis : plan.axes()) {
    fields.emplace_back();
    for (const Json& value : axis.values) append_csv_field(fields.back().emplace_back(), csv_text(value));
  }
  for (std::size_t cell = 0; cell < size(); ++cell) {
    if (status_[cell] == Status::kPending) continue;
    out += plan.key(cell);
    for (std::size_t axis = 0; axis < fields.size(); ++axis)
      (out += ',') += fields[axis][plan.value_index(cell, axis)];
    for (const Column* c : columns) append_csv_entry(out += ',', c->entries[cell]);
    (out += ',') += number_text(time_ms_[cell]);
    (out += ',') += number_text(time_spent_ms_[cell]);
    out += status_[cell] == Status::kOk ? ",ok," : ",failed,";
    append_csv_field(out, first_line(error(cell)));
    out += '\n';
  }
  return out;
}

std::string ResultTable::jsonl(const Plan& plan) const {
  const auto columns = sorted_columns();
  std::vector<std::string> axis_names, metric_names;
  for (const Axis& axis : plan.axes()) axis_names.push_back("," + quoted_json(axis.name) + ":");
  for (const Column* c : columns) metric_names.push_back("," + quoted_json(c->name) + ":");
  std::string out;
  for (std::size_t cell = 0; cell < size(); ++cell) {
    if (status_[cell] == Status::kPending) continue;
    ((out += "{\"cell_key\":\"") += plan.key(cell)) += '"';
    for (std::size_t axis = 0; axis < axis_names.size(); ++axis)
      (out += axis_names[axis]) += plan.value_text(axis, plan.value_index(cell, axis));
    for (std::size_t i = 0; i < columns.size(); ++i)
      append_json(out += metric_names[i], columns[i]->entries[cell]);
    for (const auto& [name, time] :
         {std::pair(kTime, time_ms_[cell]), std::pair(kTimeSpent, time_spent_ms_[cell])})
      out += fmt::format(",\"{}\":{}", name, std::isfinite(time) ? canonical_number(time) : "null");
    out +=
        status_[cell] == Status::kOk ? ",\"status\":\"ok\",\"error\":" : ",\"status\":\"failed\",\"error\":";
    (out += status_[cell] == Status::kOk ? "null" : quoted_json(error(cell))) += "}\n";
  }
  return out;
}

std::string ResultTable::failed_csv(const Plan& plan) const {
  std::string out = "cell_key";
  for (const Axis& axis : plan.axes()) append_csv_field(out += ',', axis.name);
  out += ",error\n";
  for (std::size_t cell = 0; cell < size(); ++cell) {
    if (status_[cell] != Status::kFailed) continue;
    out += plan.key(cell);
    for (std::size_t axis = 0; axis < plan.axes().size(); ++axis)
      append_csv_field(out += ',', csv_text(plan.value(cell, axis)));
    append_csv_field(out += ',', first_line(error(cell)));
    out += '\n';
  }
  return out;
}

Json ResultTable::progress(std::size_t cell) const {
  const auto found = progress_.find(cell);
  return found == progress_.end() ? Json(nullptr) : found->second;
}

Json result_row(const Plan& plan, const ResultTable& results, std::size_t cell) {
  constexpr const char* kNames[] = {"pending", "ok", "failed"};
  Json row = plan.params(cell);
  Json metrics = results.metrics_of(cell);
  for (auto& [name, value] : metrics.get_ref<Json::object_t&>())
    if (plan.axis(name) >= 0)
      row[name] = std::move(value);
    else
      append_member(row, name, std::move(value));
  row["cell_key"] = plan.key(cell);
  row["status"] = kNames[static_cast<int>(results.status(cell))];
  if (results.status(cell) == ResultTable::Status::kFailed) {
    row["error"] = results.error(cell);
    row[kTime] = results.time_ms(cell);
    row[kTimeSpent] = results.time_spent_ms(cell);
  }
  return row;
}

void check_metric_names(const Json& metrics, const Plan& plan) {
  for (const auto& [name, value] : metrics.items()) {
    if (name == "cell_key" || name == "status" || name == "error")
      throw Error(fmt::format("metric '{}': every table has a column of that name; choose another", name));
    if (plan.axis(name) >= 0)
      throw Error(fmt::format("metric '{}': an axis has that name; choose another", name));
  }
}

}  // namespace imatch
