// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/options.h"
#include "geometry/planar.h"
#include "match/matches.h"

namespace imatch {

inline constexpr std::string_view kGeometryModels[] = {"homography", "affine", "similarity"};
inline constexpr std::string_view kGeometryMethods[] = {"cv2_ransac",    "usac_default", "usac_parallel",
                                                        "usac_accurate", "usac_fast",    "usac_prosac",
                                                        "usac_magsac"};

/// Robust estimation of the transform between two images.
struct GeometryOptions {
  /// "homography" (8 degrees of freedom), "affine" (6) or "similarity" (rotation, one scale, shift: 4). The
  /// DINO matching programs and the option --ransac of `vis`, which is theirs, say "affine" for a similarity.
  std::string model = "homography";
  std::optional<std::string> method;  ///< Unset: usac_magsac; for a similarity cv2_ransac.
  double reproj_px = 8;               ///< Largest reprojection error of an inlier, in pixels of b; > 0.
  double confidence = 0.9999;         ///< Of having found the best model; in (0, 1).
  int iterations = 10000;             ///< At most; >= 1.
  int seed = 0;                       ///< Of the USAC methods; OpenCV's RANSAC has a fixed one of its own.
  static constexpr auto fields = std::tuple{
      field("model", &GeometryOptions::model, one_of(kGeometryModels),
            "homography (8 degrees of freedom), affine (6) or similarity (rotation, one scale, shift: 4)."),
      field("method", &GeometryOptions::method, one_of(kGeometryMethods),
            "Robust estimator of OpenCV. Unset: usac_magsac, for a similarity cv2_ransac, which knows no "
            "other."),
      field("reproj_px", &GeometryOptions::reproj_px, in_range(1e-6, 1e6),
            "Largest reprojection error of an inlier, in pixels of b."),
      field("confidence", &GeometryOptions::confidence, in_range(1e-6, 1 - 1e-12),
            "Probability of having found the best model, at which the search ends."),
      field("iterations", &GeometryOptions::iterations, in_range(1, 10'000'000), "Samples tried at most."),
      field("seed", &GeometryOptions::seed, in_range(0, 2147483647),
            "Seed of the usac methods; cv2_ransac always starts from OpenCV's own.")};
};

/// A transform between two images and its inliers among the matches.
struct Geometry {
  std::string model;
  std::string method;    ///< The one used.
  double reproj_px = 0;  ///< As asked.
  std::optional<Homography>
      b_from_a;  ///< In original pixels, last element 1; none when nothing could be found.
  std::vector<std::uint8_t> inliers;  ///< One flag for each match: reprojection error in b <= reproj_px.
  int num_inliers = 0;
  std::optional<double> mean_reprojection_px;  ///< Over the inliers, in pixels of b.
};

/// Finds b_from_a by OpenCV's RANSAC or USAC (findHomography, estimateAffine2D, estimateAffinePartial2D). The
/// same input gives
/// the same result, whatever the number of threads: usac_parallel has OpenCV's parallel settings but runs on
/// one thread, because the parallel search ends when its threads happen to. usac_prosac takes the matches in
/// falling similarity; usac_magsac takes reproj_px for the largest standard deviation of the noise. Fewer
/// than 4 matches (affine: 3, similarity: 2), degenerate ones, or a model that is singular or puts inliers
/// beyond the horizon give a result without a model and without inliers. Throws Error for a similarity by a
/// usac method.
Geometry estimate(const Matches& matches, const GeometryOptions& options = {});

/// Matches that determine a model.
int sample_size(const std::string& model);

}  // namespace imatch
