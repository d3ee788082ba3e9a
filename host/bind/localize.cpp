// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "backbone/extract.h"
#include "base/error.h"
#include "bind/types.h"
#include "binding.h"
#include "localize/locate.h"

namespace imatch::host {

template <>
inline constexpr const char* type_name<ReferenceMap> = "ReferenceMap";
template <>
inline std::size_t native_bytes(const ReferenceMap& map) {
  return map.vectors().nbytes() + static_cast<std::size_t>(map.options().memory_mb * 1e6);
}

namespace localize_bindings {

int reference_map(lua_State* L) {
  const auto ground = shared_arg<Ground>(L, 1);
  const std::string spec = check_string(L, 2);
  const Json backbone_options = is_absent(L, 3) ? Json::object() : to_json(L, 3, "backbone options");
  const auto options = host::options<ReferenceMapOptions>(L, 4, "localize.reference_map");
  return push(L, std::make_shared<ReferenceMap>(ground, spec, backbone_options, options));
}

// ---- ReferenceMap

Json describe(const Retrieved& retrieved, const ReferenceMap& map) {
  const Tile& tile = map.tiles()[retrieved.tile];
  const LatLon centre = map.ground().frame().latlon_from_local(tile.centre);
  return {{"tile", retrieved.tile},
          {"score", retrieved.score},
          {"x_m", tile.centre.x},
          {"y_m", tile.centre.y},
          {"latitude_deg", centre.latitude_deg},
          {"longitude_deg", centre.longitude_deg},
          {"heading_deg", tile.heading_deg},
          {"width_m", tile.width_m},
          {"coverage", tile.coverage}};
}

/// The photo at `index` as features by the map's backbone.
std::shared_ptr<const Features> photo_features(lua_State* L, int index, const ReferenceMap& map) {
  if (is<Features>(L, index)) return shared_arg<Features>(L, index);
  const Image* const images[] = {&arg<Image>(L, index)};
  return extract_features(map.backbone(), images).front();
}

int locate_photo(lua_State* L) {
  const auto& map = arg<ReferenceMap>(L, 1);
  const auto options = host::options<LocateOptions>(L, 3, "ReferenceMap:locate");
  return push(L, to_json(locate(map, *photo_features(L, 2, map), options), map));
}
int retrieve(lua_State* L) {
  const auto& map = arg<ReferenceMap>(L, 1);
  const int k = static_cast<int>(check_integer(L, 3, 1, 10'000'000));
  Json list = Json::array();
  for (const Retrieved& retrieved : map.retrieve(map.vector_of(*photo_features(L, 2, map)), k))
    list.push_back(describe(retrieved, map));
  return push(L, list);
}
int num_tiles(lua_State* L) {
  return push(L, arg<ReferenceMap>(L, 1).tiles().size());
}
int map_to_string(lua_State* L) {
  const auto& map = arg<ReferenceMap>(L, 1);
  return push(L, fmt::format("ReferenceMap({}, {} tiles, {} pictures, {})", map.ground().name(),
                             map.tiles().size(), map.num_chunks(), map.backbone().spec()));
}

#define SMALL_MAP                                                                               \
  "local world = im.render.world { size_m = 128 }\n"                                            \
  "local map = im.localize.reference_map(world, 'dense_sift', { image_size = 64, step = 8 },\n" \
  "  { width_m = 60, scales = { 1 }, heading_step_deg = 90, image_width = 128, image_height = 96 })\n"
#define PHOTO                                                                                        \
  "local photo = world:view({ x_m = 5, altitude_m = 52, heading_deg = 93, width = 128, height = 96 " \
  "}):image()\n"

constexpr Binding kFunctions[] = {
    bind<reference_map>(
        "reference_map",
        "localize.reference_map(ground, backbone [, backbone_options [, options]]) -> ReferenceMap",
        "Cuts a Ground into tiles of the size that a photo shows, at several widths and headings, and takes "
        "from each a vector for retrieval and tokens for matching. The backbone and its options are those "
        "for "
        "the photos. Pictures of the ground come straight from windows of the map's file and never lie on "
        "disk; their features do, in the feature cache, so that a second call only reads them. Shows its "
        "progress and can be stopped; what is done stays in the cache. Returns nil, message, \"no_result\" "
        "when "
        "the ground covers no tile.",
        SMALL_MAP "print(map) --> ReferenceMap(world(seed=1, size_m=128), 528 tiles, 4 picture...",
        describe_options<ReferenceMapOptions>),
};

constexpr Binding kMethods[] = {
    bind<locate_photo>(
        "locate", "ReferenceMap:locate(photo [, options]) -> table",
        "Where a photo (Image, or Features by the map's backbone) was taken that looks straight down: the "
        "best tiles of the retrieval are matched (mutual nearest tokens, RANSAC for `model`), and the map is "
        "re-rendered at the pose estimated from the best and matched anew. Gives found, latitude_deg, "
        "longitude_deg, x_m, "
        "y_m (ground frame), heading_deg, width_m (of the photo on the ground), their standard deviations "
        "(position_sigma_m, east_sigma_m, north_sigma_m, east_north_correlation, heading_sigma_deg, "
        "width_sigma_m), residual_m of one match, num_matches, num_inliers, num_inliers_elsewhere (of the "
        "best "
        "tile that does not touch the prediction), time_ms { retrieve, match, refine }, candidates, the "
        "tiles "
        "that were matched, and matches, those that the prediction was made from: lists photo_px and "
        "ground_m "
        "of {x, y}, similarity and inliers. `found` is false below min_inliers: the position is then no more "
        "than a guess; with fewer than three inliers there is none.",
        SMALL_MAP PHOTO
        "local location = map:locate(photo, { min_inliers = 10 })\n"
        "print(location.found and #location.matches.photo_px == location.num_matches) --> true",
        describe_options<LocateOptions>),
    bind<retrieve>(
        "retrieve", "ReferenceMap:retrieve(photo, k) -> list of tables",
        "The k tiles whose vectors are most alike the photo's, by cosine: tile (0-based number), "
        "score, x_m, y_m, latitude_deg, longitude_deg of the centre, heading_deg, width_m, coverage.",
        SMALL_MAP PHOTO "print(map:retrieve(photo, 5)[1].score) --> 0.899..."),
    bind<num_tiles>("num_tiles", "ReferenceMap:num_tiles() -> integer", "Tiles with enough coverage.",
                    SMALL_MAP "print(map:num_tiles()) --> 528"),
};

#undef PHOTO
#undef SMALL_MAP

constexpr Type kTypes[] = {
    describe_type<ReferenceMap, map_to_string>(
        "A map prepared for localisation: tiles, their vectors and tokens; immutable.", kMethods),
};

}  // namespace localize_bindings

extern const Module localize_module;
const Module localize_module{"localize", "Where on a map was this photo taken?",
                             localize_bindings::kFunctions, localize_bindings::kTypes};

}  // namespace imatch::host
