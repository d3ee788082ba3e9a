// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/options.h"
#include "base/progress.h"

namespace imatch {

/// How far the measurement of one cell is, as others may see it: cells/<key>.progress, written by the worker
/// that measures it. When the cell is finished its record keeps the last state; when the worker is killed the
/// file stays, and says where it was.
struct CellProgress {
  std::string key;
  ProgressState state;
  std::string worker;  ///< Who measures it, or did when it was interrupted.
  double age_s = 0;    ///< Since it was written.
};

/// {done, total, and the named numbers}: what records, `sweep status` and the report show.
Json progress_json(const ProgressState& state);

/// Throws Failure (unwritable, no_space).
void write_cell_progress(const std::string& path, const CellProgress& progress);
/// Nothing when there is no such file, or a damaged one.
std::optional<CellProgress> read_cell_progress(const std::string& path);

}  // namespace imatch
