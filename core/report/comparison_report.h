// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "report/page.h"
#include "sweep/run_folder.h"

namespace imatch {

/// Writes a page of two runs side by side. Its data are like report_data's, over the paired cells; each
/// metric that both runs have as numbers stands in it three times: "NAME (A)", "NAME (B)" and "NAME (B - A)".
/// Throws Failure (unwritable, no_space).
void write_comparison(const RunFolder& first, const RunFolder& second, const ReportParts& parts,
                      const std::string& path);

}  // namespace imatch
