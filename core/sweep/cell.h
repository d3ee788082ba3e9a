// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/options.h"

namespace imatch {

/// What is kept of one finished cell: the content of cells/<key>.json, from which every table can be made
/// again.
struct CellRecord {
  std::string key;
  Json params = Json::object();
  bool ok = true;  ///< False: the measurement failed; see error and traceback.
  Json metrics =
      Json::object();        ///< Name -> number, boolean, text or table. Infinite and NaN numbers are kept.
  double time_ms = 0;        ///< Of the measurement as if nothing had come from a cache (base/saved_time.h).
  double time_spent_ms = 0;  ///< Wall time of the measurement.
  std::int64_t seed = 0;
  std::string error;  ///< Message, when it failed.
  std::string traceback;
  std::string log;      ///< The end of what the failed cell wrote to standard output and standard error.
  std::string worker;   ///< Which process ran it: workers/<worker>.json.
  std::string started;  ///< UTC, ISO 8601.
  Json progress;  ///< The last that it told of itself: {done, total, loss, ...}; null when it told nothing.
};

/// One JSON object on one line. Infinity and NaN, which JSON lacks, become {"number": "inf"}, "-inf" or
/// "nan", so that they come back as numbers; a
/// table of the user's that has the one key "number" becomes {"number": {"literal": ...}}.
std::string to_text(const CellRecord& record);

/// Throws Failure (bad_format), naming `path`, when the text is not a whole record.
CellRecord parse_cell(std::string_view text, const std::string& path);

}  // namespace imatch
