// SPDX-License-Identifier: Apache-2.0
#include "bind/homography.h"
#include "binding.h"
#include "geometry/ground_camera.h"

namespace imatch::host {
namespace homography_bindings {

int of_camera(lua_State* L) {
  return push(L, ground_from_image(options<CameraOptions>(L, 1, "homography.of_camera")));
}
int inverse(lua_State* L) {
  return push(L, check_homography(L, 1).inverse());
}
int compose(lua_State* L) {
  return push(L, check_homography(L, 1).after(check_homography(L, 2)));
}

int apply(lua_State* L) {
  const Point2 p = check_homography(L, 1)({check_number(L, 2), check_number(L, 3)});
  push(L, p.x);
  push(L, p.y);
  return 2;
}

constexpr Binding kFunctions[] = {
    bind<of_camera>(
        "of_camera", "homography.of_camera(options) -> homography",
        "ground_from_image of a pinhole camera over flat ground: from pixels to metres east and north. The "
        "same camera as Ground:view has, without rendering.",
        "print(im.homography.of_camera({ altitude_m = 80, heading_deg = 45 })[9]) --> 1",
        describe_options<CameraOptions>),
    bind<inverse>("inverse", "homography.inverse(b_from_a) -> a_from_b",
                  "The inverse; a singular homography is an error.",
                  "print(im.homography.inverse({ 2, 0, 0, 0, 2, 0, 0, 0, 1 })[1]) --> 0.5"),
    bind<compose>("compose", "homography.compose(c_from_b, b_from_a) -> c_from_a",
                  "First the second, then the first.",
                  "local h = im.homography.of_camera {}\n"
                  "print(im.homography.compose(im.homography.inverse(h), h)[1]) --> 1"),
    bind<apply>("apply", "homography.apply(b_from_a, x, y) -> x, y",
                "One point. On the line that the homography sends to infinity the result is infinite or not "
                "a number.",
                "print(im.homography.apply({ 2, 0, 5, 0, 2, 0, 0, 0, 1 }, 10, 20)) --> 25 40"),
};

}  // namespace homography_bindings

extern const Module homography_module;
const Module homography_module{"homography",
                               "Maps between planes: nine numbers, row by row, acting on (x, y, 1).",
                               homography_bindings::kFunctions};

}  // namespace imatch::host
