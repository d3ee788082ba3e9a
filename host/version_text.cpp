// SPDX-License-Identifier: Apache-2.0
#include "version_text.h"

#include <fmt/format.h>

#include "base/cpu_guard.h"
#include "base/spelling.h"
#include "base/threads.h"
#include "base/version.h"

namespace imatch::host {
namespace {

std::string amx_state() {
  const AmxLeaves leaves = read_amx_leaves();
  if (amx_is_broken(leaves)) return "announced without tiles; kept off";
  return leaves.leaf7_edx & (1u << 24) ? "usable" : "none";
}

}  // namespace

Json component_versions() {
  Json versions{{"imatch-lua", program_version()}, {"commit", program_commit()}};
  for (const NamedVersion& library : library_versions()) versions[library.name] = library.version;
  versions["processor"] = fmt::format("{} ({} threads)", processor_name(), num_threads());
  versions["features"] = joined(processor_features(), " ");
  versions["AMX"] = amx_state();
  const std::vector<std::string> gpus = gpu_names();
  versions["GPU"] = gpus.empty() ? "none" : joined(gpus);
  return versions;
}

std::string version_text() {
  const Json versions = component_versions();
  std::string text;
  for (const auto& [name, version] : versions.items())
    text += fmt::format("{:<14} {}\n", name, version.get<std::string>());
  return text;
}

}  // namespace imatch::host
