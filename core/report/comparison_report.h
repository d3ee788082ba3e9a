// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

#include "report/page.h"
#include "sweep/run_folder.h"

namespace imatch {

/// Writes a page of two runs or more, side by side: A, B, C, ... in their order. Its data are like
/// report_data's, over the cells that all of them have finished; each metric that all runs have as numbers
/// stands in it once a run, "NAME (A)", "NAME (B)", and then as the differences from the first,
/// "NAME (B - A)". `options.runs` has of each run its letter, path, provenance, the best.json and the code
/// that it kept, its axes, and how many of its cells are not compared. Throws Error for fewer than two or
/// more than 26 runs, Failure (unwritable, no_space).
void write_comparison(std::span<const RunFolder* const> runs, const ReportParts& parts,
                      const std::string& path);

}  // namespace imatch
