// SPDX-License-Identifier: Apache-2.0
#include "localize/locate.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>

#include "base/saved_time.h"
#include "base/stop.h"
#include "match/geometry.h"
#include "match/nearest.h"
#include "match/subpixel_refinement.h"

namespace imatch {
namespace {

struct Verified {
  std::optional<PoseFit> fit;
  int num_matches = 0;
  int num_inliers = 0;
  std::vector<GroundMatch> matches;
};

constexpr std::size_t kFewestPoints = 3;

/// What is left of a token's error after interpolation and is the same for neighbours, in tokens: measured on
/// synthetic ground, whose truth is exact (experiments/localize_calibration.lua), so that the ellipses of 68
/// and 95 % hold as many true positions.
constexpr double kTokenBias = 0.0113;

/// Adds what all points of a photo have in common, which no residual shows.
void add_common_error(PoseFit& fit, const PhotoGrid& grid, double map_sigma_m) {
  const double token_m = fit.pose.width_m / grid.cols, lever_tokens = grid.rows / 2.0;
  const double shift_m = std::hypot(kTokenBias * token_m, map_sigma_m);
  fit.add_error(shift_m, kTokenBias / lever_tokens);
}

/// Matches a photo with a picture of the map and fits its pose to the inliers.
Verified verify(const Features& photo, const Features& picture, const Homography& ground_from_picture,
                double token_px, const LocateOptions& options) {
  const MutualNearestOptions nearest{
      .max_features = 1 << 20, .keypoint_th = 0, .match_th = options.match_th, .line_th = 0, .unique = true};
  Matches matches = mutual_nearest(photo, picture, nearest);
  refine_to_subpixel(matches, photo, picture);
  const bool tilted = options.model == "homography";
  const Geometry geometry = estimate(matches, {.model = tilted ? "homography" : "similarity",
                                               .method = {},
                                               .reproj_px = options.reproj_tokens * token_px,
                                               .confidence = 0.9999,
                                               .iterations = options.iterations,
                                               .seed = 0});
  Verified result{.fit = {},
                  .num_matches = static_cast<int>(matches.size()),
                  .num_inliers = geometry.num_inliers,
                  .matches = {}};
  std::vector<Point2> on_photo, on_ground;
  for (std::size_t i = 0; i < matches.size(); ++i) {
    const Point2 ground = ground_from_picture(matches.points_b[i]);
    result.matches.push_back({matches.points_a[i], ground, matches.similarity[i], geometry.inliers[i] != 0});
    if (!geometry.inliers[i]) continue;
    on_photo.push_back(matches.points_a[i]);
    on_ground.push_back(ground);
  }
  if (on_photo.size() >= kFewestPoints)
    result.fit = fit_pose(on_photo, on_ground, photo.image_width, photo.image_height);
  if (result.fit && tilted && geometry.b_from_a)
    result.fit->pose =
        pose_at_centre(ground_from_picture.after(*geometry.b_from_a), photo.image_width, photo.image_height);
  return result;
}

/// Matches with the map re-rendered at the pose, somewhat wider than the photo so that all of it finds its
/// counterpart.
Verified rerender(const ReferenceMap& map, const Features& photo, const Pose& pose,
                  const LocateOptions& options) {
  const PhotoGrid& grid = map.photo_grid();
  const int cols = grid.cols + 2 * options.margin_tokens, rows = grid.rows + 2 * options.margin_tokens;
  const CameraOptions camera =
      camera_at(pose, cols * grid.token_px, rows * grid.token_px, static_cast<double>(cols) / grid.cols);
  return verify(photo, map.features_seen_by(camera), ground_from_image(camera), grid.token_px, options);
}

/// Widths and places within which a similarity is believed; a RANSAC on few matches finds the wildest ones.
bool is_plausible(const Verified& result, const Tile& tile) {
  if (!result.fit) return false;
  const Pose& pose = result.fit->pose;
  return pose.width_m > tile.width_m / 2 && pose.width_m < tile.width_m * 2 &&
         std::hypot(pose.position.x - tile.centre.x, pose.position.y - tile.centre.y) < tile.width_m;
}

/// Whether re-rendering at one would lead to the other: from poses this near it ends at the same one.
bool is_same_place(const Pose& a, const Pose& b) {
  constexpr double kShareOfWidth = 0.05, kHeadingDeg = 5;
  const double turn = std::abs(std::remainder(a.heading_deg - b.heading_deg, 360));
  return std::hypot(a.position.x - b.position.x, a.position.y - b.position.y) < kShareOfWidth * b.width_m &&
         std::abs(a.width_m - b.width_m) < kShareOfWidth * b.width_m && turn < kHeadingDeg;
}

}  // namespace

Location locate(const ReferenceMap& map, const Features& photo, const LocateOptions& options) {
  Location location;
  const Stopwatch retrieving;
  const std::vector<Retrieved> retrieved = map.retrieve(map.vector_of(photo), options.top_k, options.apart);
  location.retrieve_ms = retrieving.ms();

  const Stopwatch matching;
  std::vector<Verified> results(retrieved.size());
  at::parallel_for(
      0, static_cast<std::int64_t>(retrieved.size()), 1, [&](std::int64_t from, std::int64_t to) {
        const at::NoGradGuard no_gradients;
        for (std::int64_t i = from; i < to; ++i) {
          check_stop();
          const Tile& tile = map.tiles()[retrieved[i].tile];
          const Features window = map.window(tile, options.margin_tokens);
          results[i] = verify(photo, window, map.ground_from_chunk(tile), map.photo_grid().token_px, options);
          if (!is_plausible(results[i], tile)) results[i].fit.reset(), results[i].num_inliers = 0;
        }
      });
  std::vector<std::size_t> order(retrieved.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::stable_sort(order, std::greater<>{}, [&](std::size_t i) { return results[i].num_inliers; });
  for (const std::size_t i : order)
    location.candidates.push_back(
        {retrieved[i].tile, retrieved[i].score, results[i].num_matches, results[i].num_inliers});
  location.match_ms = matching.ms();

  const Stopwatch refining;
  Verified best;
  std::vector<Pose> reached;
  for (std::size_t k = 0; k < order.size() && k < static_cast<std::size_t>(options.refine_k); ++k) {
    Verified current = results[order[k]];
    const auto leads_there = [&](const Pose& pose) { return is_same_place(current.fit->pose, pose); };
    if (current.fit && options.refinements > 0 && std::ranges::any_of(reached, leads_there)) continue;
    for (int i = 0; i < options.refinements && current.fit; ++i) {
      check_stop();
      Verified next = rerender(map, photo, current.fit->pose, options);
      if (!is_plausible(next, map.tiles()[retrieved[order[k]].tile])) break;
      current = std::move(next);
    }
    if (current.fit) reached.push_back(current.fit->pose);
    if (current.num_inliers > best.num_inliers) best = std::move(current);
  }
  if (best.fit) add_common_error(*best.fit, map.photo_grid(), options.map_sigma_m);
  location.refine_ms = refining.ms();

  location.num_matches = best.num_matches;
  location.num_inliers = best.num_inliers;
  location.fit = best.fit;
  location.matches = std::move(best.matches);
  location.found = best.fit && best.num_inliers >= options.min_inliers;
  if (best.fit) {
    const Pose& pose = best.fit->pose;
    location.position = map.ground().frame().latlon_from_local(pose.position);
    for (const MatchedTile& candidate : location.candidates) {
      const Tile& tile = map.tiles()[candidate.tile];
      if (std::hypot(tile.centre.x - pose.position.x, tile.centre.y - pose.position.y) >
          pose.width_m / 2 + tile.width_m / 2) {
        location.num_inliers_elsewhere = candidate.num_inliers;
        break;
      }
    }
  }
  return location;
}

Json to_json(const Location& location, const ReferenceMap& map) {
  Json json{{"found", location.found},
            {"num_matches", location.num_matches},
            {"num_inliers", location.num_inliers},
            {"num_inliers_elsewhere", location.num_inliers_elsewhere}};
  if (location.fit) {
    const auto& [pose, deviation] = *location.fit;
    json["latitude_deg"] = location.position->latitude_deg;
    json["longitude_deg"] = location.position->longitude_deg;
    json["x_m"] = pose.position.x;
    json["y_m"] = pose.position.y;
    json["heading_deg"] = pose.heading_deg;
    json["width_m"] = pose.width_m;
    json["position_sigma_m"] = deviation.position_m();
    json["east_sigma_m"] = deviation.east_m;
    json["north_sigma_m"] = deviation.north_m;
    json["east_north_correlation"] = deviation.east_north;
    json["heading_sigma_deg"] = deviation.heading_deg;
    json["width_sigma_m"] = deviation.width_m;
    json["residual_m"] = deviation.residual_m;
  }
  json["time_ms"] = {
      {"retrieve", location.retrieve_ms}, {"match", location.match_ms}, {"refine", location.refine_ms}};
  Json candidates = Json::array();
  for (const MatchedTile& c : location.candidates) {
    const Tile& tile = map.tiles()[c.tile];
    const LatLon centre = map.ground().frame().latlon_from_local(tile.centre);
    candidates.push_back({{"tile", c.tile},
                          {"score", c.score},
                          {"num_matches", c.num_matches},
                          {"num_inliers", c.num_inliers},
                          {"latitude_deg", centre.latitude_deg},
                          {"longitude_deg", centre.longitude_deg},
                          {"heading_deg", tile.heading_deg},
                          {"width_m", tile.width_m}});
  }
  json["candidates"] = std::move(candidates);
  Json points_px = Json::array(), ground_m = Json::array(), similarity = Json::array(),
       inliers = Json::array();
  for (const GroundMatch& match : location.matches) {
    points_px.push_back({match.photo_px.x, match.photo_px.y});
    ground_m.push_back({match.ground_m.x, match.ground_m.y});
    similarity.push_back(match.similarity);
    inliers.push_back(match.is_inlier);
  }
  json["matches"] = {
      {"photo_px", points_px}, {"ground_m", ground_m}, {"similarity", similarity}, {"inliers", inliers}};
  return json;
}

}  // namespace imatch
