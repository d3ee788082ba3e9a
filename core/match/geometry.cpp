// SPDX-License-Identifier: Apache-2.0
#include "match/geometry.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <opencv2/calib3d.hpp>

#include "base/error.h"

namespace imatch {
namespace {

/// OpenCV's MAGSAC (D. Barath et al., "MAGSAC++, a fast, reliable and accurate robust estimator", 2020)
/// leaves open how large the noise is, up to a greatest sigma, and lets residuals up to this many sigmas
/// count.
constexpr double kSigmaQuantile = 3.04;

/// The threshold at which OpenCV 4.6 takes reproj_px for the greatest sigma. It squares what it is given, as
/// all its errors are squares, and takes that for the greatest residual in pixels (at least 8): with
/// reproj_px itself that is 64 px for 8, a bound under which vague models win, with a third of the inliers
/// gone or all.
double magsac_threshold(double reproj_px) {
  return std::min(reproj_px, std::sqrt(kSigmaQuantile * reproj_px));
}

/// The settings that OpenCV 4.6 gives to each USAC flag (modules/calib3d/src/usac/ransac_solvers.cpp,
/// setParameters) but for MAGSAC's threshold, written out because findHomography and
/// estimateAffine2D take a seed only in this form.
cv::UsacParams usac_parameters(const std::string& method, const GeometryOptions& options) {
  cv::UsacParams p;
  p.threshold = options.reproj_px;
  p.confidence = options.confidence;
  p.maxIterations = options.iterations;
  p.randomGeneratorState = options.seed;
  p.isParallel = false;
  p.neighborsSearch = cv::NEIGH_GRID;
  p.sampler = cv::SAMPLING_UNIFORM;
  p.score = cv::SCORE_METHOD_MSAC;
  p.loMethod = cv::LOCAL_OPTIM_INNER_LO;
  if (method == "usac_default") {
    p.loMethod = cv::LOCAL_OPTIM_INNER_AND_ITER_LO;
  } else if (method == "usac_accurate") {
    p.loMethod = cv::LOCAL_OPTIM_GC;
    p.loSampleSize = 20;
    p.loIterations = 25;
  } else if (method == "usac_fast") {
    p.loMethod = cv::LOCAL_OPTIM_INNER_AND_ITER_LO;
    p.loIterations = 5;
  } else if (method == "usac_prosac") {
    p.sampler = cv::SAMPLING_PROSAC;
  } else if (method == "usac_magsac") {
    p.threshold = magsac_threshold(options.reproj_px);
    p.score = cv::SCORE_METHOD_MAGSAC;
    p.loMethod = cv::LOCAL_OPTIM_SIGMA;
    p.loSampleSize = 75;
    p.loIterations = 15;
  }
  return p;
}

struct Correspondences {
  std::vector<cv::Point2d> a, b;
};

/// In falling similarity, as PROSAC wants them; Matches has that order, unless a caller built it otherwise.
Correspondences correspondences(const Matches& matches) {
  std::vector<std::size_t> order(matches.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t i, std::size_t k) {
    return matches.similarity[i] > matches.similarity[k];
  });
  Correspondences points;
  for (const std::size_t k : order) {
    points.a.emplace_back(matches.points_a[k].x, matches.points_a[k].y);
    points.b.emplace_back(matches.points_b[k].x, matches.points_b[k].y);
  }
  return points;
}

cv::Mat search(const Correspondences& points, const std::string& method, const GeometryOptions& options) {
  cv::Mat mask;
  if (options.model == "similarity")
    return cv::estimateAffinePartial2D(points.a, points.b, mask, cv::RANSAC, options.reproj_px,
                                       static_cast<std::size_t>(options.iterations), options.confidence);
  if (options.model == "affine") {
    if (method == "cv2_ransac")
      return cv::estimateAffine2D(points.a, points.b, mask, cv::RANSAC, options.reproj_px,
                                  static_cast<std::size_t>(options.iterations), options.confidence);
    return cv::estimateAffine2D(points.a, points.b, mask, usac_parameters(method, options));
  }
  if (method == "cv2_ransac")
    return cv::findHomography(points.a, points.b, cv::RANSAC, options.reproj_px, mask, options.iterations,
                              options.confidence);
  return cv::findHomography(points.a, points.b, mask, usac_parameters(method, options));
}

/// What OpenCV found (2×3 or 3×3 float64) with a last element of 1, or none when it found nothing usable.
std::optional<Homography> homography_from(const cv::Mat& found) {
  if (found.empty() || found.cols != 3 || found.type() != CV_64F) return std::nullopt;
  Homography h;
  std::copy_n(found.ptr<double>(), 3 * found.rows, h.m.begin());
  const double last = h.m[8];
  for (double& value : h.m) value /= last;
  const bool finite = std::all_of(h.m.begin(), h.m.end(), [](double value) { return std::isfinite(value); });
  return finite ? std::optional(h) : std::nullopt;
}

/// By how much an area at p grows under h; negative when it is mirrored.
double area_scale(const Homography& h, Point2 p) {
  const auto& m = h.m;
  const double determinant = m[0] * (m[4] * m[8] - m[5] * m[7]) - m[1] * (m[3] * m[8] - m[5] * m[6]) +
                             m[2] * (m[3] * m[7] - m[4] * m[6]);
  return determinant / std::pow(h.depth(p), 3);
}

/// False for a model that squeezes the plane into a line or a point, or blows it up, near the inliers.
bool is_sound(const Homography& h, const Matches& matches, const std::vector<std::uint8_t>& inliers,
              int count) {
  Point2 centre;
  for (std::size_t k = 0; k < inliers.size(); ++k)
    if (inliers[k]) centre.x += matches.points_a[k].x / count, centre.y += matches.points_a[k].y / count;
  const double scale = std::abs(area_scale(h, centre));
  constexpr double kMostScale = 1e4;  // of a length; beyond it no two photographs are matched
  return scale >= 1 / (kMostScale * kMostScale) && scale <= kMostScale * kMostScale;
}

void check_finite(const std::vector<Point2>& points, const char* name) {
  for (std::size_t k = 0; k < points.size(); ++k)
    if (!std::isfinite(points[k].x) || !std::isfinite(points[k].y))
      throw Error(
          fmt::format("{}: point {} is ({}, {}); expected finite pixels", name, k, points[k].x, points[k].y));
}

}  // namespace

int sample_size(const std::string& model) {
  return model == "homography" ? 4 : model == "affine" ? 3 : 2;
}

Geometry estimate(const Matches& matches, const GeometryOptions& options) {
  const bool similarity = options.model == "similarity";
  const auto sample = static_cast<std::size_t>(sample_size(options.model));
  Geometry result;
  result.model = options.model;
  result.method = options.method.value_or(similarity ? "cv2_ransac" : "usac_magsac");
  result.reproj_px = options.reproj_px;
  result.inliers.assign(matches.size(), 0);
  if (similarity && result.method != "cv2_ransac")
    throw Error(fmt::format("method: '{}' is not available for the model 'similarity'; expected 'cv2_ransac'",
                            result.method));
  check_finite(matches.points_a, "points_a");
  check_finite(matches.points_b, "points_b");
  if (matches.size() < sample) return result;

  std::optional<Homography> found;
  try {
    found = homography_from(search(correspondences(matches), result.method, options));
  } catch (const cv::Exception&) {
    return result;  // OpenCV's way of saying that the points are degenerate
  }
  if (!found) return result;

  // Judged anew under the final model: OpenCV's own masks stem from before its last refinement, or follow the
  // method's inner threshold.
  double sum = 0;
  for (std::size_t k = 0; k < matches.size(); ++k) {
    const Point2 p = (*found)(matches.points_a[k]), q = matches.points_b[k];
    const double error = std::hypot(p.x - q.x, p.y - q.y);
    if (!(found->depth(matches.points_a[k]) > 0 && error <= options.reproj_px)) continue;
    result.inliers[k] = 1;
    ++result.num_inliers;
    sum += error;
  }
  if (result.num_inliers < static_cast<int>(sample) ||
      !is_sound(*found, matches, result.inliers, result.num_inliers)) {
    std::fill(result.inliers.begin(), result.inliers.end(), 0);
    result.num_inliers = 0;
    return result;
  }
  result.b_from_a = found;
  result.mean_reprojection_px = sum / result.num_inliers;
  return result;
}

}  // namespace imatch
