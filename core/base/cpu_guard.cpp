// SPDX-License-Identifier: Apache-2.0
#include "base/cpu_guard.h"

#include <cstdlib>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace imatch {

AmxLeaves read_amx_leaves() {
  AmxLeaves leaves;
#if defined(__x86_64__)
  std::uint32_t eax, ebx, ecx, edx;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) leaves.leaf7_edx = edx;
  auto& tiles = leaves.palette1;
  if (!__get_cpuid_count(0x1D, 1, &tiles[0], &tiles[1], &tiles[2], &tiles[3])) tiles = {};
#endif
  return leaves;
}

bool amx_is_broken(const AmxLeaves& leaves) {
  constexpr std::uint32_t kAnyAmx = 1u << 22 | 1u << 24 | 1u << 25;
  return (leaves.leaf7_edx & kAnyAmx) != 0 && leaves.palette1 == std::array<std::uint32_t, 4>{};
}

void guard_processor() {
  constexpr int kKeepTheUsers = 0;
  if (amx_is_broken(read_amx_leaves())) ::setenv("ONEDNN_MAX_CPU_ISA", "AVX10_1_512", kKeepTheUsers);
}

}  // namespace imatch
