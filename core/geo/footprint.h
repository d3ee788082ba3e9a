// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace imatch {

/// Width of level ground in a picture taken straight down: 2 altitude tan(fov / 2), metres.
/// `fov_deg` is the field of view along that side, in (0, 180). Throws Error outside the ranges, here and
/// below.
double ground_width_m(double altitude_m, double fov_deg);

/// The altitude at which a picture taken straight down is `width_m` wide.
double altitude_for_width_m(double width_m, double fov_deg);

}  // namespace imatch
