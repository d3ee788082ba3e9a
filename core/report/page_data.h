// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "sweep/canonical.h"
#include "sweep/run_folder.h"

namespace imatch {

/// A number with six significant digits (the tables hold them all); infinite ones as "inf" and "-inf", null
/// for NaN.
void append_number(std::string& out, double value);

/// Appends `"name":[item, item, ...]`.
template <class Item>
void append_list(std::string& out, const char* name, std::size_t n, Item&& item) {
  out += fmt::format("{}:[", quoted_json(name));
  for (std::size_t i = 0; i < n; ++i) {
    if (i > 0) out += ',';
    item(i);
  }
  out += ']';
}

/// Appends `{"name":NAME,"label":...,`: what a column is, in the words of evaluation/metric.h. `ending` goes
/// behind name and label.
void append_description(std::string& out, const std::string& name, const std::string& ending = "");

/// Appends `{"name":NAME,` and the head that all pages of sweeps have: the axes, and the key and the value
/// indices of these cells.
void append_head(std::string& out, const std::string& name, const Plan& plan,
                 const std::vector<std::size_t>& cells);

/// Appends `,"name":value` for each.
void append_members(std::string& out, const std::vector<std::pair<const char*, Json>>& members);

/// What the file holds; null when it is not there, discarded when it is no JSON.
Json json_of_file(const std::string& path);

}  // namespace imatch
