// SPDX-License-Identifier: Apache-2.0
#include "binding.h"
#include "geo/distance.h"
#include "geo/footprint.h"

namespace imatch::host {
namespace geo_bindings {

LatLon check_position(lua_State* L, int index) {
  const LatLon position{check_number(L, index), check_number(L, index + 1)};
  require_position(position);
  return position;
}

int distance(lua_State* L) {
  const LatLon a = check_position(L, 1), b = check_position(L, 3);
  return push(L, haversine_m(a, b, options<HaversineOptions>(L, 5, "geo.distance_m")));
}
int geodesic(lua_State* L) {
  const LatLon a = check_position(L, 1), b = check_position(L, 3);
  return push(L, geodesic_m(a, b));
}
int bearing(lua_State* L) {
  const LatLon a = check_position(L, 1), b = check_position(L, 3);
  return push(L, bearing_deg(a, b));
}
int destination_of(lua_State* L) {
  const LatLon a = check_position(L, 1);
  const LatLon end = destination(a, check_number(L, 3), check_number(L, 4));
  return push(L, end.latitude_deg) + push(L, end.longitude_deg);
}
int angle_difference(lua_State* L) {
  const double a = check_number(L, 1);
  return push(L, angle_difference_deg(a, check_number(L, 2)));
}
int ground_width(lua_State* L) {
  const double altitude = check_number(L, 1);
  return push(L, ground_width_m(altitude, check_number(L, 2)));
}
int altitude_for_width(lua_State* L) {
  const double width = check_number(L, 1);
  return push(L, altitude_for_width_m(width, check_number(L, 2)));
}

constexpr Binding kFunctions[] = {
    bind<distance>(
        "distance_m", "geo.distance_m(lat1, lon1, lat2, lon2 [, options]) -> number",
        "Great-circle distance by the haversine formula, metres; the sphere's radius is 6371000 m unless "
        "radius_m says otherwise. Degrees; latitude in [-90, 90].",
        "print(im.geo.distance_m(48.8566, 2.3522, 51.5072, -0.1276)) --> 343529.865...",
        describe_options<HaversineOptions>),
    bind<geodesic>(
        "geodesic_m", "geo.geodesic_m(lat1, lon1, lat2, lon2) -> number",
        "Length of the geodesic on the WGS-84 ellipsoid, metres (Karney 2013, as PROJ computes it).",
        "print(im.geo.geodesic_m(48.8566, 2.3522, 51.5072, -0.1276)) --> 343896.891..."),
    bind<bearing>(
        "bearing_deg", "geo.bearing_deg(lat1, lon1, lat2, lon2) -> number",
        "Direction in which the WGS-84 geodesic leaves the first point, degrees clockwise from true north "
        "in [0, 360); 0 for equal points.",
        "print(im.geo.bearing_deg(48.8566, 2.3522, 51.5072, -0.1276)) --> 329.951..."),
    bind<destination_of>("destination", "geo.destination(lat, lon, bearing_deg, distance_m) -> lat, lon",
                         "The point reached along the WGS-84 geodesic that leaves at that bearing, degrees.",
                         "print(im.geo.destination(47, 8, 90, 1000)) --> 46.999... 8.013..."),
    bind<angle_difference>(
        "angle_difference_deg", "geo.angle_difference_deg(a, b) -> number",
        "a - b the short way round, degrees in [-180, 180): plus where a lies clockwise of b.",
        "print(im.geo.angle_difference_deg(10, 350)) --> 20"),
    bind<ground_width>(
        "ground_width_m", "geo.ground_width_m(altitude_m, fov_deg) -> number",
        "Width of level ground in a picture taken straight down: 2 altitude tan(fov / 2), metres.",
        "print(im.geo.ground_width_m(120, 60)) --> 138.564..."),
    bind<altitude_for_width>("altitude_for_width_m", "geo.altitude_for_width_m(width_m, fov_deg) -> number",
                             "The altitude from which a picture taken straight down is that wide, metres.",
                             "print(im.geo.altitude_for_width_m(87.57, 60)) --> 75.837..."),
};

}  // namespace geo_bindings

extern const Module geo_module;
const Module geo_module{"geo", "Positions on the Earth: distances, directions, footprints.",
                        geo_bindings::kFunctions};

}  // namespace imatch::host
