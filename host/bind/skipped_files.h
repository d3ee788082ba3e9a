// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "retrieval/skipped_file.h"
#include "stack.h"

namespace imatch::host {

inline Json skipped_json(const std::vector<SkippedFile>& skipped) {
  Json list = Json::array();
  for (const SkippedFile& file : skipped) list.push_back({{"path", file.path}, {"reason", file.reason}});
  return list;
}

}  // namespace imatch::host
