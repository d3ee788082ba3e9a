// SPDX-License-Identifier: Apache-2.0
#include "sweep/shared_work.h"

#include "base/file.h"

namespace imatch {

SharedWork::SharedWork(std::string folder) : folder_(std::move(folder)) {
  make_folder(folder_);
  worker_ = std::make_unique<Worker>(folder_);
}

std::optional<Claim> SharedWork::take(const std::string& part) const {
  return Claim::take(folder_ + "/" + file_name_from(part) + ".part", *worker_);
}

}  // namespace imatch
