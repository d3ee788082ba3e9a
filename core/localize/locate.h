// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "geo/distance.h"
#include "localize/pose.h"
#include "localize/reference_map.h"

namespace imatch {

inline constexpr std::string_view kLocateModels[] = {"similarity", "homography"};

struct LocateOptions {
  int top_k = 40;
  double apart = 0.25;
  int margin_tokens = 4;
  std::string model = "similarity";
  double match_th = 0;
  double reproj_tokens = 1;
  int iterations = 2000;
  int refine_k = 2;
  int refinements = 2;
  int min_inliers = 30;
  double map_sigma_m = 0;

  using Self = LocateOptions;
  static constexpr auto fields = std::tuple{
      field("top_k", &Self::top_k, in_range(1, 100000), "Tiles of the retrieval that are matched."),
      field("apart", &Self::apart, in_range(0, 10),
            "Of tiles whose centres are nearer than this share of their width, with neighbouring headings, "
            "only the "
            "best is matched."),
      field("margin_tokens", &Self::margin_tokens, in_range(0, 1000),
            "Tokens around a tile that take part in its matching."),
      field("model", &Self::model, one_of(kLocateModels),
            "Transform of RANSAC from the photo to the map: similarity (place, heading and width: the camera "
            "looks "
            "straight down) or homography (any tilt over flat ground; needs more inliers; deviations are "
            "those of "
            "the similarity through the same ones)."),
      field("match_th", &Self::match_th, in_range(-1, 1), "Smallest cosine similarity of a match."),
      field("reproj_tokens", &Self::reproj_tokens, in_range(0.01, 100),
            "Largest reprojection error of an inlier, in sides of a token."),
      field("iterations", &Self::iterations, in_range(1, 1e7), "Samples of RANSAC at most."),
      field(
          "refine_k", &Self::refine_k, in_range(1, 1000),
          "Tiles, those with most inliers, from which a pose is refined; the one that ends with most wins. A "
          "tile whose pose is as good as one that was refined (5 % of the width, 5 degrees) is left out."),
      field("refinements", &Self::refinements, in_range(0, 20),
            "Times that the map is re-rendered at the estimated pose and matched anew."),
      field("min_inliers", &Self::min_inliers, at_least(3),
            "Inliers below which the photo counts as not found."),
      field(
          "map_sigma_m", &Self::map_sigma_m, at_least(0),
          "Standard deviation of the map's own georeference along each axis, m: part of the prediction's.")};
};

/// A tile that was matched.
struct MatchedTile {
  int tile = 0;
  double score = 0;  ///< Of the retrieval.
  int num_matches = 0;
  int num_inliers = 0;
};

/// A token of the photo and the place on the ground that it was matched with.
struct GroundMatch {
  Point2 photo_px;
  Point2 ground_m;
  float similarity = 0;  ///< Cosine.
  bool is_inlier = false;
};

/// What a photo's place on the map is predicted to be.
struct Location {
  bool found = false;          ///< num_inliers >= min_inliers.
  std::optional<PoseFit> fit;  ///< The best there is, found or not; none with fewer than three inliers.
  std::optional<LatLon> position;
  int num_matches = 0;
  int num_inliers = 0;
  /// Inliers of the best candidate elsewhere: farther than half a width from the prediction.
  int num_inliers_elsewhere = 0;
  std::vector<GroundMatch> matches;     ///< Those that the prediction was made from, outliers included.
  std::vector<MatchedTile> candidates;  ///< In falling num_inliers, ties by retrieval.
  double retrieve_ms = 0;
  double match_ms = 0;
  double refine_ms = 0;
};

/// Finds where a photo was taken: retrieves tiles, matches the photo's tokens with those of each (mutual
/// nearest neighbours, then RANSAC for a similarity or a homography), and re-renders the map
/// at the pose estimated from the best, which undoes the steps of the lattice in place, heading and width.
/// `photo` are features by the map's backbone. Throws Error for features of another one.
Location locate(const ReferenceMap& map, const Features& photo, const LocateOptions& options = {});

Json to_json(const Location& location, const ReferenceMap& map);

}  // namespace imatch
