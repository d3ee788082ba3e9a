// SPDX-License-Identifier: Apache-2.0
#include "version_text.h"

#include <fmt/format.h>

#include "base/spelling.h"
#include "base/threads.h"
#include "base/version.h"

namespace imatch::host {

Json component_versions() {
  Json versions{{"imatch-lua", program_version()}, {"commit", program_commit()}};
  for (const NamedVersion& library : library_versions()) versions[library.name] = library.version;
  versions["processor"] = fmt::format("{} ({} threads)", processor_name(), num_threads());
  versions["features"] = joined(processor_features(), " ");
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
