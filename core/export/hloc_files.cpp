// SPDX-License-Identifier: Apache-2.0
#include "export/hloc_files.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <map>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/progress.h"
#include "io/hdf5_file.h"

namespace imatch {
namespace {

/// hloc takes keypoints from the centre of the top-left pixel.
constexpr double kHalfPixel = 0.5;

at::Tensor keypoints_of(const ExportImage& image) {
  at::Tensor points = at::empty({static_cast<std::int64_t>(image.keypoints.size()), 2}, at::kFloat);
  float* out = points.data_ptr<float>();
  const Affine2 stored_from_upright = image.stored_from_upright();
  for (const Point2 upright : image.keypoints) {
    const Point2 p = stored_from_upright(upright);
    *out++ = static_cast<float>(p.x - kHalfPixel);
    *out++ = static_cast<float>(p.y - kHalfPixel);
  }
  return points;
}

at::Tensor size_of(const ExportImage& image) {
  at::Tensor size = at::empty({2}, at::kLong);
  size.data_ptr<std::int64_t>()[0] = image.stored_width();
  size.data_ptr<std::int64_t>()[1] = image.stored_height();
  return size;
}

std::string group_of(std::string name) {
  std::ranges::replace(name, '/', '-');
  return name;
}

void write_matches(Hdf5Writer& file, const ExportSet& set, const ExportPair& pair, c10::ScalarType real) {
  const ExportImage &a = set.images()[pair.a], &b = set.images()[pair.b];
  const auto count = static_cast<std::int64_t>(a.keypoints.size());
  at::Tensor matches = at::full({count}, -1, at::kInt);
  at::Tensor scores = at::full({count}, 0, at::kFloat);
  std::int32_t* match = matches.data_ptr<std::int32_t>();
  float* score = scores.data_ptr<float>();
  for (std::size_t k = 0; k < pair.matches.size(); ++k) {
    const auto [i, j] = pair.matches[k];
    if (match[i] >= 0) continue;
    match[i] = static_cast<std::int32_t>(j);
    score[i] = pair.similarity[k];
  }
  // hloc's own type, where it is wide enough.
  const bool fits = b.keypoints.size() <= std::numeric_limits<std::int16_t>::max();
  const std::string group = group_of(a.name) + "/" + group_of(b.name) + "/";
  file.write(group + "matches0", fits ? matches.to(at::kShort) : matches);
  file.write(group + "matching_scores0", scores.to(real));
}

}  // namespace

void require_hloc_names(const std::vector<std::string>& names) {
  std::map<std::string, std::string> groups;
  for (const std::string& name : names) {
    if (name.find_first_of(" \t\r\n\v\f") != std::string::npos)
      throw Failure(code::kBadFormat,
                    fmt::format("'{}' has a blank in its name, and hloc's pairs.txt has blanks between "
                                "names; rename it, or write for COLMAP alone",
                                name));
    const auto [other, is_new] = groups.emplace(group_of(name), name);
    if (!is_new && other->second != name)
      throw Failure(code::kBadFormat,
                    fmt::format("'{}' and '{}' are both '{}' in hloc's matches.h5; rename one, or "
                                "write for COLMAP alone",
                                other->second, name, other->first));
  }
}

void write_hloc(const ExportSet& set, const std::string& folder, const HlocOptions& options) {
  std::vector<std::string> names;
  for (const ExportImage& image : set.images()) names.push_back(image.name);
  require_hloc_names(names);
  const c10::ScalarType real = options.half ? at::kHalf : at::kFloat;
  const std::filesystem::path root(folder);
  Hdf5Writer features((root / "features.h5").string()), matches((root / "matches.h5").string());
  bool has_globals = false;
  Progress progress("hloc", "pictures and pairs", set.images().size() + set.pairs().size());
  for (const ExportImage& image : set.images()) {
    progress.advance();
    features.write(image.name + "/keypoints", keypoints_of(image));
    features.write(image.name + "/image_size", size_of(image));
    if (image.descriptors.defined())
      features.write(image.name + "/descriptors", image.descriptors.t().to(real));
    has_globals = has_globals || image.global.defined();
  }
  std::string list;
  for (const ExportPair& pair : set.pairs()) {
    progress.advance();
    write_matches(matches, set, pair, real);
    list += fmt::format("{} {}\n", set.images()[pair.a].name, set.images()[pair.b].name);
  }
  if (has_globals) {
    Hdf5Writer globals((root / "global.h5").string());
    for (const ExportImage& image : set.images())
      if (image.global.defined()) globals.write(image.name + "/global_descriptor", image.global.to(real));
    globals.finish();
  }
  features.finish();
  matches.finish();
  write_file_atomically((root / "pairs.txt").string(), list);
}

}  // namespace imatch
