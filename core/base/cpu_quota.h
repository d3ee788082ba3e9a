// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

namespace imatch {

/// Processors' worth of time that this process may use by its control groups' quota (a container's `--cpus`);
/// empty without a quota. The smallest of the group and its ancestors counts. `membership` is the text of
/// /proc/self/cgroup, `root` the mount point of the hierarchies. Versions 1 and 2.
std::optional<double> cpu_quota(const std::string& membership, const std::string& root = "/sys/fs/cgroup");

}  // namespace imatch
