// SPDX-License-Identifier: Apache-2.0
#include "report/pictures.h"

#include <algorithm>
#include <filesystem>

#include "base/file.h"
#include "report/html.h"

namespace imatch {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kMostEmbeddedBytes = 24 << 20;

}  // namespace

std::vector<CellPicture> find_pictures(const RunFolder& run) {
  std::vector<CellPicture> pictures;
  std::error_code missing;
  for (const auto& folder : fs::directory_iterator(run.path() + "/pictures", missing)) {
    const std::int64_t cell = run.plan().find(folder.path().filename().string());
    if (cell < 0) continue;
    for (const auto& file : fs::directory_iterator(folder.path(), missing)) {
      if (file.path().extension() != ".png") continue;
      pictures.push_back({static_cast<std::size_t>(cell), file.path().stem().string(),
                          fs::relative(file.path(), run.path()).string()});
    }
  }
  std::sort(pictures.begin(), pictures.end(), [](const CellPicture& a, const CellPicture& b) {
    return std::tie(a.cell, a.name) < std::tie(b.cell, b.name);
  });
  return pictures;
}

Json picture_json(const RunFolder& run, const CellPicture& picture, const std::string& link,
                  std::size_t& embedded) {
  const fs::path file = fs::path(run.path()) / picture.relative;
  const fs::path preview = fs::path(file).replace_extension(".jpg");
  const bool has_preview = fs::exists(preview);
  const std::string bytes = read_file(has_preview ? preview : file);
  std::string source = link;
  if ((embedded += bytes.size()) <= kMostEmbeddedBytes)
    source = data_url(has_preview ? "image/jpeg" : "image/png", bytes);
  return {{"name", picture.name}, {"source", source}, {"file", link}};
}

}  // namespace imatch
