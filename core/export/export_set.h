// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/field.h"
#include "feature/features.h"
#include "geometry/planar.h"
#include "image/orientation.h"
#include "match/geometry.h"
#include "match/matches.h"

namespace imatch {

struct ExportImage {
  std::string name;               ///< Path below the folder of the images.
  int width = 0, height = 0;      ///< As the matching had it: upright.
  std::vector<Point2> keypoints;  ///< In pixels of that; the centre of the top-left one is (0.5, 0.5).
  int orientation = 1;            ///< Of the file, Exif's: what reads it as stored has another frame.
  at::Tensor descriptors;         ///< [keypoints, D] float32; undefined where only matches are known.
  at::Tensor global;              ///< [D_global]; undefined likewise.

  Affine2 stored_from_upright() const { return imatch::stored_from_upright(orientation, width, height); }
  int stored_width() const { return orientation >= 5 ? height : width; }
  int stored_height() const { return orientation >= 5 ? width : height; }
};

struct ExportPair {
  std::size_t a = 0, b = 0;                           ///< Images.
  std::vector<std::array<std::uint32_t, 2>> matches;  ///< Keypoints of a and of b, in falling similarity.
  std::vector<float> similarity;
  std::optional<Homography> b_from_a;
  std::vector<std::uint8_t> inliers;  ///< One flag a match; empty when no geometry was asked for.
};

struct ExportImageOptions {
  int orientation = 1;
  static constexpr auto fields = std::tuple{
      field("orientation", &ExportImageOptions::orientation, in_range(1, 8),
            "Exif orientation of the file, by which it was turned upright before it was matched. hloc and "
            "COLMAP read files as they are stored: sizes and keypoints are written in that frame. 1 writes "
            "the upright one.")};
};

struct ExportCounts {
  std::size_t images = 0;
  std::size_t keypoints = 0;
  std::size_t pairs = 0;
  std::size_t matches = 0;
  std::size_t geometries = 0;
  static constexpr auto fields =
      std::tuple{field("images", &ExportCounts::images, anything(), "Images."),
                 field("keypoints", &ExportCounts::keypoints, anything(), "Of all images."),
                 field("pairs", &ExportCounts::pairs, anything(), "Pairs."),
                 field("matches", &ExportCounts::matches, anything(), "Of all pairs."),
                 field("geometries", &ExportCounts::geometries, anything(), "Pairs that have one.")};
};

/// Images and matches between them in the form that structure-from-motion programs take: every image has one
/// list of keypoints, which all its pairs share. Tokens have the same places in every pair, so a keypoint is
/// a place.
class ExportSet {
 public:
  /// An image whose keypoints are the tokens of these features. Throws Error for a name that is empty or
  /// taken.
  void add_image(const std::string& name, const Features& features, const ExportImageOptions& options = {});
  /// An image whose keypoints come with its pairs.
  void add_image(const std::string& name, int width, int height, const ExportImageOptions& options = {});
  bool has_image(const std::string& name) const { return by_name_.contains(name); }

  /// False, and nothing is added, when the two images have a pair already, in either order. `geometry`: of
  /// these matches. Throws Error for an unknown image, one matched with itself, sizes other than the images',
  /// and for a place that is none of the image's tokens.
  bool add_pair(const std::string& a, const std::string& b, const Matches& matches,
                const Geometry* geometry = nullptr);

  ExportCounts counts() const;
  std::size_t bytes() const;  ///< About how much memory it takes.

  const std::vector<ExportImage>& images() const { return images_; }
  const std::vector<ExportPair>& pairs() const { return pairs_; }

 private:
  std::size_t image_named(const std::string& name) const;
  std::uint32_t keypoint(std::size_t image, Point2 place);

  std::vector<ExportImage> images_;
  std::vector<ExportPair> pairs_;
  std::map<std::string, std::size_t> by_name_;
  std::vector<std::map<std::pair<double, double>, std::uint32_t>> places_;
  std::map<std::pair<std::size_t, std::size_t>, std::size_t> by_images_;
};

}  // namespace imatch
