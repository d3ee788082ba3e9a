// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

#include "base/options.h"

namespace imatch {

// What the charts of an evaluation show, made once for every page.

/// Share of `num_all` queries whose error is at most 0, 1, ..., 100 m; empty without queries.
Json hit_curve(std::span<const double> errors_m, std::size_t num_all);

/// {count, min, p5, q1, median, q3, p95, max}; null without values.
Json box_of(std::vector<double> values);

}  // namespace imatch
