// SPDX-License-Identifier: Apache-2.0
#include "base/version.h"

#include <ATen/Context.h>

#include <cstdint>
#include <filesystem>
#include <fstream>

#include "generated/build_info.h"
#include "generated/git_commit.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace imatch {
namespace {

/// The text behind `key :` in a file of such lines, as in /proc/cpuinfo; "" when it is not there.
std::string value_in(const std::filesystem::path& file, const std::string& key) {
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) {
    if (line.rfind(key, 0) != 0) continue;
    const auto colon = line.find(':');
    const auto start = line.find_first_not_of(" \t", colon + 1);
    if (colon != std::string::npos && start != std::string::npos) return line.substr(start);
  }
  return "";
}

}  // namespace

std::string program_version() {
  return build_info::kVersion;
}
std::string program_commit() {
  return build_info::kGitCommit;
}

std::vector<NamedVersion> library_versions() {
  std::vector<NamedVersion> versions;
  for (const auto& [name, version] : build_info::kLibraries)
    if (*version) versions.push_back({name, version});
  return versions;
}

std::string processor_name() {
  const std::string name = value_in("/proc/cpuinfo", "model name");
  return name.empty() ? "unknown" : name;
}

std::vector<std::string> processor_features() {
  std::vector<std::string> features;
#if defined(__x86_64__)
  const auto add = [&](const char* name, bool present) {
    if (present) features.emplace_back(name);
  };
  __builtin_cpu_init();
  add("sse4.2", __builtin_cpu_supports("sse4.2"));
  add("avx", __builtin_cpu_supports("avx"));
  add("fma", __builtin_cpu_supports("fma"));
  add("avx2", __builtin_cpu_supports("avx2"));
  add("avx512f", __builtin_cpu_supports("avx512f"));
  add("avx512bw", __builtin_cpu_supports("avx512bw"));
  add("avx512vnni", __builtin_cpu_supports("avx512vnni"));
  add("avx512bf16", __builtin_cpu_supports("avx512bf16"));
  std::uint32_t eax, ebx, ecx, edx;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) {
    add("amx_bf16", edx & 1u << 22);
    add("avx512fp16", edx & 1u << 23);
    add("amx_int8", edx & 1u << 25);
  }
#endif
  return features;
}

std::vector<std::string> gpu_names() {
  std::vector<std::string> names;
  if (!at::hasCUDA()) return names;
  // The driver's own list: CUDA's headers, which would tell as well, are only there with a CUDA toolkit.
  std::error_code none;
  for (const auto& gpu : std::filesystem::directory_iterator("/proc/driver/nvidia/gpus", none))
    if (const std::string name = value_in(gpu.path() / "information", "Model"); !name.empty())
      names.push_back(name);
  return names;
}

}  // namespace imatch
