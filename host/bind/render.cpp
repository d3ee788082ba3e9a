// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "bind/homography.h"
#include "bind/types.h"
#include "binding.h"
#include "render/map_ground.h"
#include "render/scene.h"
#include "render/world.h"

namespace imatch::host {

template <>
inline constexpr const char* type_name<View> = "View";
template <>
inline std::size_t native_bytes(const Ground& ground) {
  return ground.tile_bytes();
}
template <>
inline std::size_t native_bytes(const View& view) {
  return view.image.rgb.size() + view.valid.size();
}

namespace render_bindings {

// ---- im.render

int world(lua_State* L) {
  return push(L,
              std::shared_ptr<Ground>(std::make_shared<World>(options<WorldOptions>(L, 1, "render.world"))));
}
int map(lua_State* L) {
  const std::string path = check_string(L, 1);
  return push(L, std::shared_ptr<Ground>(
                     std::make_shared<MapGround>(path, options<MapGroundOptions>(L, 2, "render.map"))));
}
int b_from_a_of(lua_State* L) {
  const auto &a = arg<View>(L, 1), &b = arg<View>(L, 2);
  return push(L, b_from_a(a, b));
}
int overlap_of(lua_State* L) {
  const auto &a = arg<View>(L, 1), &b = arg<View>(L, 2);
  return push(L, overlap(a, b));
}

// ---- Ground

int ground_view(lua_State* L) {
  View view = take_view(arg<Ground>(L, 1), options<ViewOptions>(L, 2, "Ground:view"));
  report_growth<Ground>(L, 1);
  return push(L, std::move(view));
}
int ground_pair(lua_State* L) {
  ViewPair pair = take_pair(arg<Ground>(L, 1), options<PairOptions>(L, 2, "Ground:pair"));
  report_growth<Ground>(L, 1);
  lua_createtable(L, 0, 4);
  push(L, std::move(pair.query));
  lua_setfield(L, -2, "query");
  push(L, std::move(pair.reference));
  lua_setfield(L, -2, "reference");
  push(L, pair.query_from_reference);
  lua_setfield(L, -2, "query_from_reference");
  push(L, pair.reference_from_query);
  lua_setfield(L, -2, "reference_from_query");
  return 1;
}
int ground_name(lua_State* L) {
  return push(L, arg<Ground>(L, 1).name());
}
int ground_gsd(lua_State* L) {
  return push(L, arg<Ground>(L, 1).gsd_m());
}
int ground_extent(lua_State* L) {
  const GroundExtent e = arg<Ground>(L, 1).extent();
  return push(
      L, Json{{"west_m", e.west_m}, {"south_m", e.south_m}, {"east_m", e.east_m}, {"north_m", e.north_m}});
}
int ground_place(lua_State* L) {
  const Point2 p = place_on(arg<Ground>(L, 1), static_cast<int>(check_integer(L, 2, 0, 1000000)));
  return push(L, p.x) + push(L, p.y);
}
int local_from_latlon(lua_State* L) {
  const LocalFrame& frame = arg<Ground>(L, 1).frame();
  const Point2 p = frame.local_from_latlon({check_number(L, 2), check_number(L, 3)});
  return push(L, p.x) + push(L, p.y);
}
int latlon_from_local(lua_State* L) {
  const LocalFrame& frame = arg<Ground>(L, 1).frame();
  const LatLon p = frame.latlon_from_local({check_number(L, 2), check_number(L, 3)});
  return push(L, p.latitude_deg) + push(L, p.longitude_deg);
}

// ---- View

int view_image(lua_State* L) {
  const auto view = shared_arg<View>(L, 1);
  return push(L, std::shared_ptr<const Image>(view, &view->image));
}
int view_mask(lua_State* L) {
  const auto& view = arg<View>(L, 1);
  Image mask(view.image.width, view.image.height);
  for (std::size_t i = 0; i < mask.rgb.size(); ++i) mask.rgb[i] = view.valid[i / 3];
  return push(L, std::move(mask));
}
int view_ground_from_image(lua_State* L) {
  return push(L, arg<View>(L, 1).ground_from_image);
}
int view_coverage(lua_State* L) {
  return push(L, coverage(arg<View>(L, 1)));
}
int view_gsd(lua_State* L) {
  return push(L, arg<View>(L, 1).gsd_m);
}

int view_to_string(lua_State* L) {
  const auto& view = arg<View>(L, 1);
  return push(L, fmt::format("View({}x{}, {:.3g} m a pixel, {:.0f} % covered)", view.image.width,
                             view.image.height, view.gsd_m, 100 * coverage(view)));
}

constexpr Binding kFunctions[] = {
    bind<world>(
        "world", "render.world([options]) -> Ground",
        "A synthetic scene: fields, meadows, woods, orchards, villages, roads, a river and ponds, with "
        "texels "
        "of 0.125 m painted when first seen. The same seed and size give the same bytes on every machine and "
        "with any number of threads.",
        "local world = im.render.world { seed = 7, size_m = 400 }\n"
        "print(world) --> world(seed=7, size_m=400)",
        describe_options<WorldOptions>),
    bind<map>(
        "map", "render.map(path [, options]) -> Ground",
        "A GeoTIFF laid flat on the ground, read window by window; the origin of its metres is its "
        "centre. Any coordinate system with a geotransform, also degrees across 180; RGB, grey, palette or "
        "more than 8 bits. What has no data: the file's mask, else its alpha band, else nodata in all "
        "colours. "
        "Returns nil, message, code for a file that is none (not_found, not_a_file, unreadable, bad_format): "
        "also for a VRT, ground control points or RPC alone, no coordinate system, and metres labelled as "
        "degrees. Differs from rasterio: alpha below one half is no data (there: 0 alone), and bands that "
        "are "
        "no colour do not count for nodata.",
        "print(im.render.map 'no such map.tif') --> nil no such map.tif: no such file not_found",
        describe_options<MapGroundOptions>),
    bind<b_from_a_of>(
        "b_from_a", "render.b_from_a(a, b) -> homography",
        "The true map between two views of one ground: nine numbers, row by row, that take a pixel of a to "
        "the pixel of b that shows the same ground. The centre of the first pixel is (0.5, 0.5).",
        "local w = im.render.world { size_m = 400 }\n"
        "local h = im.render.b_from_a(w:view { altitude_m = 60 }, w:view { altitude_m = 90 })\n"
        "print(h[1]) --> 0.666..."),
    bind<overlap_of>("overlap", "render.overlap(a, b) -> number",
                     "Share of the pixels of view a whose ground view b shows too, in [0, 1].",
                     "local w = im.render.world { size_m = 400 }\n"
                     "print(im.render.overlap(w:view { altitude_m = 60 }, w:view { altitude_m = 60, x_m = 20 "
                     "})) --> 0.712..."),
};

constexpr Binding kGroundMethods[] = {
    bind<ground_view>(
        "view", "Ground:view([options]) -> View",
        "What a pinhole camera sees of the ground, area-averaged over each pixel's footprint, then "
        "disturbed: blur, colour gains, contrast, brightness, gamma, noise, JPEG, in that order. What lies "
        "outside the ground, in holes of a map and above the horizon is black and not valid.",
        "local view = im.render.world({ size_m = 400 }):view { altitude_m = 80, heading_deg = 45, noise = 4 "
        "}\n"
        "print(view) --> View(448x336, 0.206 m a pixel, 100 % covered)",
        describe_options<ViewOptions>),
    bind<ground_pair>(
        "pair", "Ground:pair([options]) -> { query, reference, query_from_reference, reference_from_query }",
        "Two views of one place with their true homographies: a query that is rotated, tilted, shifted and "
        "disturbed, and a clean reference taken straight down.",
        "local pair = im.render.world({ size_m = 400 }):pair { altitude_m = 60, rotation_deg = 45 }\n"
        "print(pair.query, pair.reference) --> View(448x336, 0.155 m a pixel, 100 % covered) View(448x336, "
        "...",
        describe_options<PairOptions>),
    bind<ground_name>("name", "Ground:name() -> string",
                      "One line that says which ground this is, for reports.",
                      "print(im.render.world({ size_m = 400 }):name()) --> world(seed=1, size_m=400)"),
    bind<ground_gsd>("gsd_m", "Ground:gsd_m() -> number",
                     "Metres a texel at the finest level: views much finer than this are only enlarged.",
                     "print(im.render.world({ size_m = 400 }):gsd_m()) --> 0.125"),
    bind<ground_extent>("extent", "Ground:extent() -> { west_m, south_m, east_m, north_m }",
                        "Bounds in metres east and north of the origin.",
                        "print(im.render.world({ size_m = 400 }):extent().east_m) --> 200"),
    bind<ground_place>(
        "place", "Ground:place(index) -> x_m, y_m",
        "The place of that number, from 0: places are spread evenly over what the ground shows and depend on "
        "nothing else. Returns nil, message, \"no_result\" where the ground shows too little.",
        "print(im.render.world({ size_m = 400 }):place(0)) --> -63.731... -111.841..."),
    bind<local_from_latlon>(
        "local_from_latlon", "Ground:local_from_latlon(lat, lon) -> x_m, y_m",
        "Metres east and north of the ground's origin (azimuthal equidistant on WGS-84).",
        "print(im.render.world({ size_m = 400 }):local_from_latlon(47, 8.001)) --> 76.055... 0.000..."),
    bind<latlon_from_local>(
        "latlon_from_local", "Ground:latlon_from_local(x_m, y_m) -> lat, lon",
        "The inverse of local_from_latlon, degrees.",
        "print(im.render.world({ size_m = 400 }):latlon_from_local(0, 100)) --> 47.000... 8"),
};

constexpr Binding kViewMethods[] = {
    bind<view_image>("image", "View:image() -> Image", "The picture; nothing is copied.",
                     "print(im.render.world({ size_m = 400 }):view():image()) --> Image(448x336)"),
    bind<view_mask>("mask", "View:mask() -> Image", "White where the picture shows ground, black elsewhere.",
                    "print(im.render.world({ size_m = 400 }):view():mask()) --> Image(448x336)"),
    bind<view_ground_from_image>(
        "ground_from_image", "View:ground_from_image() -> homography",
        "Exact: nine numbers, row by row, from pixels to metres east and north.",
        "print(#im.render.world({ size_m = 400 }):view():ground_from_image()) --> 9"),
    bind<view_coverage>("coverage", "View:coverage() -> number",
                        "Share of the pixels that show ground, in [0, 1].",
                        "print(im.render.world({ size_m = 400 }):view():coverage()) --> 1"),
    bind<view_gsd>("gsd_m", "View:gsd_m() -> number",
                   "Metres of ground a pixel in the middle of the image; infinite in the sky.",
                   "print(im.render.world({ size_m = 400 }):view():gsd_m()) --> 0.309..."),
};

constexpr Type kTypes[] = {
    describe_type<Ground, ground_name>(
        "A flat surface with a colour everywhere: a synthetic scene or a map. Its frame is "
        "metres east (x) and north (y) of its origin.",
        kGroundMethods),
    describe_type<View, view_to_string>("A picture of the ground whose truth is known.", kViewMethods),
};

}  // namespace render_bindings

extern const Module render_module;
const Module render_module{"render", "Views of synthetic scenes and of maps, with their truth.",
                           render_bindings::kFunctions, render_bindings::kTypes};

}  // namespace imatch::host
