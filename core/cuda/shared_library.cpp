// SPDX-License-Identifier: Apache-2.0
#include "cuda/shared_library.h"

#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <array>
#include <climits>
#include <filesystem>
#include <functional>
#include <string_view>

namespace imatch::cuda {
namespace {

namespace fs = std::filesystem;

void add_files_of(const fs::path& folder, const std::string& name, std::vector<std::string>& places) {
  std::error_code none;
  std::vector<std::string> found;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, none)) {
    const std::string file = entry.path().filename().string();
    if (file == name || file.starts_with(name + ".")) found.push_back(entry.path().string());
  }
  // The newest last in the order of names: libnvrtc.so.13 goes before libnvrtc.so.12.
  std::ranges::sort(found, std::greater());
  places.insert(places.end(), found.begin(), found.end());
}

/// The folder with torch/ in it: LibTorch lies in torch/lib.
fs::path wheels_folder() {
  std::string path;
  ::dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* to) {
        const std::string_view name(info->dlpi_name);
        if (!name.ends_with("/libtorch_cpu.so")) return 0;
        *static_cast<std::string*>(to) = name;
        return 1;
      },
      &path);
  std::error_code none;
  return fs::canonical(path, none).parent_path().parent_path().parent_path();
}

}  // namespace

std::optional<SharedLibrary> SharedLibrary::first_of(const std::vector<std::string>& names) {
  for (const std::string& name : names)
    if (void* handle = ::dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL)) return SharedLibrary(handle);
  return std::nullopt;
}

std::string SharedLibrary::folder() const {
  std::array<char, PATH_MAX> path{};
  return ::dlinfo(handle_, RTLD_DI_ORIGIN, path.data()) == 0 ? path.data() : "";
}

void* SharedLibrary::symbol(const char* name) const {
  return ::dlsym(handle_, name);
}

std::vector<std::string> places_of(const std::string& name, const std::vector<std::string>& folders) {
  std::vector<std::string> places;
  std::error_code none;
  for (const std::string& folder : folders) add_files_of(folder, name, places);
  places.push_back(name);
  std::vector<fs::path> packages;
  // An installed tree has the wheels' libraries in lib/imatch-lua/nvidia, beside LibTorch's.
  for (const fs::directory_entry& package : fs::directory_iterator(wheels_folder() / "nvidia", none))
    packages.push_back(package.path());
  std::ranges::sort(packages, std::greater());
  for (const fs::path& package : packages) add_files_of(package / "lib", name, places);
  return places;
}

}  // namespace imatch::cuda
