// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace imatch {

/// Version of the program, as "0.1.0".
std::string program_version();

/// Git commit that was built, 40 digits, with "-dirty" behind them when the sources had uncommitted changes;
/// "unknown" outside of a git checkout.
std::string program_commit();

struct NamedVersion {
  std::string name;
  std::string version;
};

/// The libraries that the build found, in a fixed order.
std::vector<NamedVersion> library_versions();

/// The processor's own name, "AMD EPYC 9354"; "unknown" where it tells none.
std::string processor_name();

/// Those features of the processor that the libraries choose their kernels by: "avx2", "fma", "avx512f"...
std::vector<std::string> processor_features();

/// Names of the NVIDIA GPUs that LibTorch can use; empty with a CPU-only LibTorch.
std::vector<std::string> gpu_names();

}  // namespace imatch
