// SPDX-License-Identifier: Apache-2.0
#include "sweep/cell.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "base/error.h"
#include "io/json_file.h"
#include "sweep/canonical.h"

namespace imatch {
namespace {

Json without_infinities(const Json& value) {
  if (value.is_number_float() && !std::isfinite(value.get<double>())) {
    const double number = value.get<double>();
    return {{"number", std::isnan(number) ? "nan" : number > 0 ? "inf" : "-inf"}};
  }
  if (!value.is_structured()) return value;
  Json copy = value;
  for (Json& item : copy) item = without_infinities(item);
  // A table of the user's own that looks like one of ours says that it is none.
  if (copy.is_object() && copy.size() == 1 && copy.begin().key() == "number")
    return {{"number", {{"literal", copy.begin().value()}}}};
  return copy;
}

void restore_infinities(Json& value) {
  if (!value.is_structured()) return;
  if (value.is_object() && value.size() == 1 && value.begin().key() == "number" &&
      value.begin()->is_string()) {
    const std::string& name = value.begin()->get_ref<const std::string&>();
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    if (name == "nan")
      value = std::numeric_limits<double>::quiet_NaN();
    else if (name == "inf")
      value = kInfinity;
    else if (name == "-inf")
      value = -kInfinity;
    return;
  }
  if (value.is_object() && value.size() == 1 && value.begin().key() == "number") {
    Json& inner = value.begin().value();
    if (inner.is_object() && inner.size() == 1 && inner.begin().key() == "literal") {
      Json literal = std::move(inner.begin().value());
      inner = std::move(literal);
    }
    restore_infinities(inner);
    return;
  }
  for (Json& item : value) restore_infinities(item);
}

}  // namespace

std::string to_text(const CellRecord& record) {
  Json json{{"key", record.key}, {"params", record.params}, {"status", record.ok ? "ok" : "failed"}};
  if (record.ok)
    json["metrics"] = without_infinities(record.metrics);
  else
    json["error"] = {{"message", record.error}, {"traceback", record.traceback}, {"log", record.log}};
  json["time_ms"] = record.time_ms;
  json["time_spent_ms"] = record.time_spent_ms;
  json["seed"] = record.seed;
  json["worker"] = record.worker;
  json["started"] = record.started;
  if (!record.progress.is_null()) json["progress"] = record.progress;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

CellRecord parse_cell(std::string_view text, const std::string& path) {
  try {
    Json json = parse_json(text, path);
    CellRecord record;
    record.key = json.at("key").get<std::string>();
    record.params = std::move(json.at("params"));
    const std::string& status = json.at("status").get_ref<const std::string&>();
    record.ok = status == "ok";
    if (record.ok) {
      record.metrics = std::move(json.at("metrics"));
      if (!record.metrics.is_object())
        throw Failure(code::kBadFormat, path + ": metrics: expected an object");
      restore_infinities(record.metrics);
    } else if (status == "failed") {
      const Json& error = json.at("error");
      record.error = error.at("message").get<std::string>();
      record.traceback = error.at("traceback").get<std::string>();
      record.log = error.value("log", "");
    } else {
      throw Failure(code::kBadFormat,
                    fmt::format("{}: status '{}'; expected 'ok' or 'failed'", path, status));
    }
    record.time_ms = json.at("time_ms").get<double>();
    record.time_spent_ms = json.value("time_spent_ms", record.time_ms);
    record.seed = json.at("seed").get<std::int64_t>();
    record.worker = json.at("worker").get<std::string>();
    record.started = json.at("started").get<std::string>();
    if (json.contains("progress")) record.progress = json["progress"];
    return record;
  } catch (const Json::exception& error) {
    throw Failure(code::kBadFormat, fmt::format("{}: not the record of a cell: {}", path, error.what()));
  }
}

}  // namespace imatch
