// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sweep/run_folder.h"

namespace imatch {

/// What a report is made of besides the results.
struct ReportParts {
  std::string title;
  std::string page;   ///< HTML with {{title}}, {{style}}, {{scripts}}, {{data}} and {{fingerprint}}.
  std::string style;  ///< CSS.
  std::vector<std::string> scripts;  ///< JavaScript, put into the page in this order.
  Json options = Json::object();     ///< Passed on to the scripts: which axes the charts show.
};

/// The results as one JSON object, column by column, with six significant digits (the tables hold them all):
/// {name, axes = [{name, label, unit, values}], keys, cells = [[value index] per axis], metrics = [{name,
/// label, unit, better, definition, values}], time_ms, status, errors, best, provenance, pictures = {cell:
/// [{name, source}]}, options}. Infinite numbers are "inf" or "-inf". Pictures are those of pictures/<key>/
/// in the run folder: as data URLs up to 24 MB in all, then as relative links.
std::string report_data(const RunFolder& run, const std::optional<BestOptions>& best,
                        const ReportParts& parts);

/// Writes report.html into the run folder, unless it stands there already with the same results, pictures and
/// parts. The page needs no other file and no network. Returns its path. Throws Failure (unwritable,
/// no_space).
std::string write_report(const RunFolder& run, const std::optional<BestOptions>& best,
                         const ReportParts& parts);

/// Cells of two runs that have the same parameters.
struct Comparison {
  std::vector<std::pair<std::size_t, std::size_t>> pairs;  ///< In the order of the first run's plan.
  std::size_t num_only_first = 0;
  std::size_t num_only_second = 0;
};

/// Pairs the finished cells of two runs. An axis that one run lacks and that has one value in the other is
/// left out of the comparison. Throws Error when the axes differ otherwise.
Comparison compare_runs(const RunFolder& first, const RunFolder& second);

/// Writes a page of two runs side by side. Its data are like report_data's, over the paired cells; each
/// metric that both runs have as numbers stands in it three times: "NAME (A)", "NAME (B)" and "NAME (B - A)".
/// Throws Failure (unwritable, no_space).
void write_comparison(const RunFolder& first, const RunFolder& second, const ReportParts& parts,
                      const std::string& path);

}  // namespace imatch
