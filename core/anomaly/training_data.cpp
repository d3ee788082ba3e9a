// SPDX-License-Identifier: Apache-2.0
#include "anomaly/training_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "base/error.h"
#include "image/encode.h"
#include "io/file_list.h"

namespace imatch {
namespace {

namespace fs = std::filesystem;

const FileListOptions kPictures{.extensions = picture_extensions()};

std::vector<std::string> folders_in(const std::string& folder) {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    if (entry.is_directory() && !entry.path().filename().string().starts_with('.'))
      names.push_back(entry.path().filename().string());
  std::ranges::sort(names);
  return names;
}

/// Masks by the name of their picture.
std::map<std::string, std::string> masks_in(const std::string& folder) {
  std::map<std::string, std::string> masks;
  if (!fs::is_directory(folder)) return masks;
  for (const std::string& path : pictures_in(folder)) {
    std::string stem = fs::path(path).stem().string();
    if (stem.ends_with("_mask")) stem.resize(stem.size() - 5);
    masks[stem] = path;
  }
  return masks;
}

void add_samples(std::vector<AnomalySample>& to, const std::string& folder, const std::string& kind,
                 const std::string& mask_folder) {
  const auto masks = mask_folder.empty() ? std::map<std::string, std::string>() : masks_in(mask_folder);
  for (const std::string& path : pictures_in(folder)) {
    const auto mask = masks.find(fs::path(path).stem().string());
    to.push_back({path, kind, mask == masks.end() ? "" : mask->second});
  }
}

std::string layout_of(const std::string& folder, const AnomalyDataOptions& options) {
  if (options.layout != "auto") return options.layout;
  if (!options.abnormal_dir.empty()) return "folder";
  if (fs::is_directory(folder + "/train/good")) return "mvtec";
  return fs::is_directory(folder + "/good") ? "good" : "flat";
}

void add_defects(std::vector<AnomalySample>& to, const std::string& folder, const std::string& mask_folder) {
  const bool masked = !mask_folder.empty();
  add_samples(to, folder, "defect", mask_folder);
  for (const std::string& kind : folders_in(folder))
    add_samples(to, folder + "/" + kind, kind, masked ? mask_folder + "/" + kind : "");
}

}  // namespace

std::vector<std::string> pictures_in(const std::string& folder) {
  std::vector<std::string> paths;
  for (const std::string& name : list_files(folder, kPictures)) paths.push_back(folder + "/" + name);
  return paths;
}

AnomalyData list_anomaly_data(const std::string& folder, const AnomalyDataOptions& options) {
  if (!fs::is_directory(folder))
    throw Failure(code::kNotFound, fmt::format("{}: there is no such folder", folder));
  AnomalyData data{.layout = layout_of(folder, options), .train = {}, .test = {}};
  if (data.layout == "flat") add_samples(data.train, folder, "good", "");
  if (data.layout == "good") add_samples(data.train, folder + "/good", "good", "");
  if (data.layout == "mvtec") {
    add_samples(data.train, folder + "/train/good", "good", "");
    if (fs::is_directory(folder + "/test"))
      add_defects(data.test, folder + "/test", folder + "/ground_truth");
  }
  if (data.layout == "folder") {
    add_samples(data.train, folder + "/" + options.normal_dir, "good", "");
    if (!options.abnormal_dir.empty())
      add_defects(data.test, folder + "/" + options.abnormal_dir,
                  options.mask_dir.empty() ? "" : folder + "/" + options.mask_dir);
  }
  if (data.train.empty())
    throw Failure(code::kNoResult,
                  fmt::format("{}: there is no normal picture (layout '{}')", folder, data.layout));
  return data;
}

}  // namespace imatch
