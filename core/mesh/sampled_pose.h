// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "mesh/rig.h"

namespace imatch {

/// A pose for a skeleton that brings no clips: at every joint but the first a rotation about an axis drawn
/// from all directions, by an angle drawn from [-bend_deg, bend_deg], and with it all that hangs on the
/// joint. Nodes without any parents (MuJoCo's skins) hang on each other by a tree of shortest distances,
/// whose first joint is the one nearest to their middle. The same numbers give the same pose. Throws Error
/// for a mesh without joints.
RigPose sampled_pose(const Rig& rig, double bend_deg, std::uint64_t seed);

/// Where in which animation.
struct RigMoment {
  std::string clip;
  double time_s = 0;
};

/// A moment drawn from the clip of that name; where it is empty, from one that is drawn as well. The same
/// numbers give the same moment. Throws Error where there is no such clip, or none at all.
RigMoment sampled_moment(const Rig& rig, std::string_view clip, std::uint64_t seed);

}  // namespace imatch
