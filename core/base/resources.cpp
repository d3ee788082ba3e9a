// SPDX-License-Identifier: Apache-2.0
#include "base/resources.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <map>

#include "base/error.h"
#include "generated/build_info.h"

namespace imatch {
namespace {

namespace fs = std::filesystem;

fs::path installed_share() {
  std::error_code ignored;
  return fs::read_symlink("/proc/self/exe", ignored).parent_path().parent_path() / "share" / "imatch-lua";
}

}  // namespace

std::string resource_folder(const std::string& kind) {
  static const std::map<std::string, fs::path> sources = {
      {"experiments", fs::path(build_info::kSource) / "experiments"},
      {"js", fs::path(build_info::kDependencies) / "js"},
      {"lua", fs::path(build_info::kSource) / "lua"},
      {"python", fs::path(build_info::kSource) / "python"},
      {"weights", fs::path(build_info::kDependencies) / "weights"},
  };
  const auto source = sources.find(kind);
  if (source == sources.end())
    throw Error(
        fmt::format("resource '{}': expected 'experiments', 'js', 'lua', 'python' or 'weights'", kind));
  std::error_code missing;
  const fs::path share = installed_share();
  const fs::path place = fs::exists(share, missing) ? share / kind : source->second;
  const fs::path folder = fs::canonical(place, missing);
  if (missing)
    throw Failure(code::kNotFound,
                  fmt::format("{}: the program's folder '{}' is not there; run ./setup, or install again",
                              place.string(), kind));
  return folder.string();
}

void use_bundled_data() {
  std::error_code missing;
  const fs::path folder = installed_share() / "proj";
  if (fs::exists(folder / "proj.db", missing)) ::setenv("PROJ_DATA", folder.c_str(), 0);
}

}  // namespace imatch
