// SPDX-License-Identifier: Apache-2.0
#include "sweep/shared_work.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string_view>

#include "base/file.h"

namespace imatch {
namespace {

/// The number in an environment variable, 1 where it is not set or is none.
int count_in(const char* name) {
  const char* text = std::getenv(name);
  int count = 1;
  if (text) {
    const std::string_view view(text);
    std::from_chars(view.data(), view.data() + view.size(), count);
  }
  return std::clamp(count, 1, 1'000'000);
}

}  // namespace

SharedWork::SharedWork(std::string folder) : folder_(std::move(folder)) {
  make_folder(folder_);
  worker_ = std::make_unique<Worker>(folder_);
}

std::optional<Claim> SharedWork::take(const std::string& part) const {
  return Claim::take(folder_ + "/" + file_name_from(part) + ".part", *worker_);
}

int num_processes() {
  return std::min(
      std::max(count_in("SLURM_NTASKS") * count_in("SLURM_ARRAY_TASK_COUNT"), count_in("WORLD_SIZE")),
      1'000'000);
}

}  // namespace imatch
