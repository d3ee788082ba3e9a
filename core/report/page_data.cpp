// SPDX-License-Identifier: Apache-2.0
#include "report/page_data.h"

#include <charconv>
#include <cmath>

#include "base/error.h"
#include "base/file.h"
#include "evaluation/metric.h"
#include "io/json_file.h"

namespace imatch {

void append_number(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "null";
  } else if (std::isinf(value)) {
    out += value > 0 ? "\"inf\"" : "\"-inf\"";
  } else if (value == std::floor(value) && std::abs(value) < 1e15) {
    out += canonical_number(value);
  } else {
    char digits[40];
    const auto end = std::to_chars(digits, digits + sizeof digits, value, std::chars_format::general, 6);
    out.append(digits, end.ptr);
  }
}

void append_description(std::string& out, const std::string& name, const std::string& ending) {
  const MetricDefinition metric = describe_metric(name);
  Json json = to_json(metric);
  json["name"] = name + ending;
  json["label"] = metric.label() + ending;
  const std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  out.append(text, 0, text.size() - 1);
  out += ',';
}

void append_head(std::string& out, const std::string& name, const Plan& plan,
                 const std::vector<std::size_t>& cells) {
  out += "{\"name\":" + quoted_json(name) + ",";
  append_list(out, "axes", plan.axes().size(), [&](std::size_t axis) {
    append_description(out, plan.axes()[axis].name);
    append_list(out, "values", plan.axes()[axis].values.size(),
                [&](std::size_t i) { out += plan.value_text(axis, static_cast<std::uint32_t>(i)); });
    out += '}';
  });
  out += ',';
  append_list(out, "keys", cells.size(), [&](std::size_t i) { (out += '"') += plan.key(cells[i]) + '"'; });
  out += ',';
  append_list(out, "cells", plan.axes().size(), [&](std::size_t axis) {
    out += '[';
    for (std::size_t i = 0; i < cells.size(); ++i)
      out += (i > 0 ? "," : "") + std::to_string(plan.value_index(cells[i], axis));
    out += ']';
  });
}

void append_members(std::string& out, const std::vector<std::pair<const char*, Json>>& members) {
  for (const auto& [name, value] : members)
    out += fmt::format(",\"{}\":{}", name, value.dump(-1, ' ', false, Json::error_handler_t::replace));
}

Json json_of_file(const std::string& path) {
  try {
    return read_json(path);
  } catch (const Failure&) {
    return nullptr;
  }
}

}  // namespace imatch
