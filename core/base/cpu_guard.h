// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

namespace imatch {

/// What the processor says about AMX. Source: Intel SDM vol. 2A, CPUID.
struct AmxLeaves {
  std::uint32_t leaf7_edx = 0;  ///< Leaf 7.0 EDX: bit 22 AMX-BF16, 24 AMX-TILE, 25 AMX-INT8.
  std::array<std::uint32_t, 4> palette1 =
      {};  ///< Leaf 0x1D.1 EAX..EDX, the sizes of the tiles; 0 where there is no such leaf.
};

AmxLeaves read_amx_leaves();

/// True where AMX is announced but its tiles have no sizes, as some virtual machines have it. There oneDNN's
/// first bf16 operation dies with SIGILL: it takes the announcement as enough.
bool amx_is_broken(const AmxLeaves& leaves);

/// Keeps oneDNN (in LibTorch and OpenVINO) off broken AMX by setting ONEDNN_MAX_CPU_ISA for this process,
/// unless the user has set it. To be called first in main: oneDNN reads the variable at its first use, and no
/// thread runs yet.
void guard_processor();

}  // namespace imatch
