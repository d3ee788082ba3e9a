// SPDX-License-Identifier: Apache-2.0
#include "pointmap/data_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <sstream>

#include "base/error.h"
#include "base/file.h"

namespace imatch {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kRender = "_rgb.png";

std::vector<std::string> lines_of(const std::string& path) {
  std::istringstream text(read_file(path));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) {
    line.erase(line.find_last_not_of(" \t\r") + 1);
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

bool is_multiple(const std::string& id, int of) {
  long long number = 0;
  const auto read = std::from_chars(id.data(), id.data() + id.size(), number);
  return read.ec == std::errc() && read.ptr == id.data() + id.size() && number % of == 0;
}

}  // namespace

PointMapFolder::PointMapFolder(std::string root) : root_(std::move(root)) {
  for (const char* name : {"renders", "images"})
    if (fs::is_directory(root_ + "/" + name)) {
      images_ = root_ + "/" + name;
      return;
    }
  throw Failure(code::kNotFound, root_ + ": no folder renders/ (or images/) with <id>_rgb.png");
}

std::vector<std::string> PointMapFolder::ids(const PointMapDataOptions& options) const {
  std::set<std::string> found;
  for (const auto& entry : fs::directory_iterator(images_)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(kRender)) found.insert(name.substr(0, name.size() - kRender.size()));
  }
  if (found.empty()) throw Failure(code::kNotFound, images_ + ": no <id>_rgb.png");
  return chosen_ids(found, options, images_);
}

std::vector<std::string> chosen_ids(const std::set<std::string>& found, const PointMapDataOptions& options,
                                    const std::string& where) {
  std::vector<std::string> ids(found.begin(), found.end());
  if (!options.include.empty()) {
    ids = lines_of(options.include);
    for (const std::string& id : ids)
      if (!found.contains(id))
        throw Failure(code::kNotFound,
                      fmt::format("{}: there is no sample '{}' in {}", options.include, id, where));
    std::ranges::sort(ids);
  }
  if (options.skip_multiples_of > 0)
    std::erase_if(ids, [&](const std::string& id) { return is_multiple(id, options.skip_multiples_of); });
  if (!options.exclude.empty()) {
    const std::vector<std::string> lines = lines_of(options.exclude);
    const std::set<std::string> out(lines.begin(), lines.end());
    std::erase_if(ids, [&](const std::string& id) { return out.contains(id); });
  }
  return ids;
}

std::string PointMapFolder::image(std::string_view id) const {
  return fmt::format("{}/{}{}", images_, id, kRender);
}

std::string PointMapFolder::mask(std::string_view id) const {
  return fmt::format("{}/masks/{}_mask.png", root_, id);
}

std::string PointMapFolder::features(std::string_view id, std::string_view extension) const {
  return fmt::format("{}/features/{}_feat{}", root_, id, extension);
}

std::string PointMapFolder::point_map(std::string_view id, int resolution) const {
  return fmt::format("{}/pointmaps_{}/{}.npz", root_, resolution, id);
}

bool PointMapFolder::has_features(std::string_view id, std::string_view extension) const {
  return fs::exists(features(id, extension));
}

}  // namespace imatch
