// SPDX-License-Identifier: Apache-2.0
#include "base/cpu_quota.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace imatch {
namespace {

namespace fs = std::filesystem;

/// Version 2, "QUOTA PERIOD" in microseconds, QUOTA "max" for none.
std::optional<double> quota_v2(const fs::path& group) {
  std::ifstream file(group / "cpu.max");
  double quota, period;
  if (file >> quota >> period && quota > 0 && period > 0) return quota / period;
  return {};
}

/// Version 1: two files in microseconds, a quota of -1 for none.
std::optional<double> quota_v1(const fs::path& group) {
  std::ifstream quota_file(group / "cpu.cfs_quota_us"), period_file(group / "cpu.cfs_period_us");
  double quota, period;
  if (quota_file >> quota && period_file >> period && quota > 0 && period > 0) return quota / period;
  return {};
}

/// Whether a comma-separated list of controllers has the one named `cpu`.
bool has_cpu(const std::string& controllers) {
  return ("," + controllers + ",").find(",cpu,") != std::string::npos;
}

}  // namespace

std::optional<double> cpu_quota(const std::string& membership, const std::string& root) {
  std::optional<double> least;
  std::istringstream lines(membership);
  // Each line: HIERARCHY:CONTROLLERS:/PATH, with no controllers in version 2.
  for (std::string line; std::getline(lines, line);) {
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool v2 = controllers.empty();
    if (!v2 && !has_cpu(controllers)) continue;
    const fs::path top = v2 ? fs::path(root) : fs::path(root) / "cpu";
    // In a container the path may be one of the host that is not mounted here: the walk then ends at the top.
    fs::path group = top / fs::path(line.substr(second + 1)).relative_path();
    for (;; group = group.parent_path()) {
      const auto quota = v2 ? quota_v2(group) : quota_v1(group);
      if (quota) least = std::min(*quota, least.value_or(*quota));
      if (group == top || !group.has_relative_path()) break;
    }
  }
  return least;
}

}  // namespace imatch
