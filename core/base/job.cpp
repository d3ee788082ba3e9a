// SPDX-License-Identifier: Apache-2.0
#include "base/job.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <string_view>

namespace imatch {
namespace {

constexpr int kMostProcesses = 1'000'000;

/// The number in an environment variable; nothing where it is not set or is none.
std::optional<int> number_in(const char* name) {
  const char* const value = std::getenv(name);
  if (!value) return std::nullopt;
  const std::string_view text(value);
  int number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc() || end != text.data() + text.size() || number < 0) return std::nullopt;
  return std::min(number, kMostProcesses);
}

int count_in(const char* name) {
  return std::max(1, number_in(name).value_or(1));
}

}  // namespace

int num_processes() {
  const auto of_slurm = std::int64_t{count_in("SLURM_NTASKS")} * count_in("SLURM_ARRAY_TASK_COUNT");
  return static_cast<int>(std::clamp<std::int64_t>(of_slurm, count_in("WORLD_SIZE"), kMostProcesses));
}

bool is_first_process() {
  return number_in("SLURM_PROCID").value_or(0) == 0 && number_in("RANK").value_or(0) == 0;
}

int local_rank() {
  const std::optional<int> number = number_in("LOCAL_RANK");
  return number ? *number : number_in("SLURM_LOCALID").value_or(0);
}

}  // namespace imatch
