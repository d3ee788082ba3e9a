// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "report/page.h"
#include "sweep/run_folder.h"

namespace imatch {

/// The results as one JSON object, column by column, with six significant digits (the tables hold them all):
/// {name, axes = [{name, label, unit, values}], keys, cells = [[value index] per axis], metrics = [{name,
/// label, unit, better, definition, values}], time_ms, status, errors, best, provenance, pictures = {cell:
/// [{name, source}]}, progress = {cell: {done, total, loss, ...}}, options}. Infinite numbers are "inf" or
/// "-inf". Pictures are those of pictures/<key>/ in the run folder: as data URLs up to 24 MB in all, then as
/// relative links.
std::string report_data(const RunFolder& run, const std::optional<BestOptions>& best,
                        const ReportParts& parts);

/// Writes report.html (or what `options.file` names) into the run folder, unless it stands there already with
/// the same results, pictures and parts. The page needs no other file and no network. Returns its path.
/// Throws Failure (unwritable, no_space).
std::string write_report(const RunFolder& run, const std::optional<BestOptions>& best,
                         const ReportParts& parts);

}  // namespace imatch
