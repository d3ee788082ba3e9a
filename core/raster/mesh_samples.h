// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "base/field.h"
#include "geometry/pinhole_camera.h"
#include "mesh/rig.h"

namespace imatch {

/// How samples of a mesh are drawn: a camera around it, and a pose.
struct MeshSampleOptions {
  int count = 1;
  std::string clip;
  double bend_deg = 0;
  double scale = 0;
  double focal_mm = 50;
  double distance = 2.5;
  double elevation_from_deg = -5, elevation_to_deg = 35;
  std::int64_t seed = 0;

  using Self = MeshSampleOptions;
  static constexpr auto fields = std::tuple{
      field("count", &Self::count, in_range(1, 1e7), "How many there are."),
      field("clip", &Self::clip, anything(),
            "The animation that poses are drawn from; empty: all; 'none': the mesh stays at rest."),
      field("bend_deg", &Self::bend_deg, in_range(0, 180),
            "Above 0: in the place of clips every joint but the first turns by up to so many degrees."),
      field("scale", &Self::scale, in_range(0, 1e9),
            "Factor of the mesh; 0: so that the largest side of its box at rest is 1."),
      field("focal_mm", &Self::focal_mm, in_range(1e-3, 1e6), "Of the lens, over a sensor of 36 mm."),
      field("distance", &Self::distance, in_range(1e-6, 1e9), "Of the cameras, in sides of its box."),
      field("elevation_from_deg", &Self::elevation_from_deg, in_range(-89, 89), "Of the lowest camera."),
      field("elevation_to_deg", &Self::elevation_to_deg, in_range(-89, 89), "Of the highest one."),
      field("seed", &Self::seed, at_least(0), "Of cameras and poses.")};
};

/// A camera a sample, spread around the middle of the mesh at rest, y up.
std::vector<PinholeCamera> cameras_around(const RiggedMesh& mesh, const MeshSampleOptions& options, int width,
                                          int height);

/// How a sample stands: at rest, at a moment of a clip, or bent by its joints.
struct DrawnPose {
  std::string clip;  ///< Empty: none.
  double time_s = 0;
  double bend_deg = 0;
  std::int64_t seed = 0;  ///< Of the bend.
};

/// The pose of sample `number`, from 1. Throws Error for an unknown clip, and where joints are to bend and
/// there are none.
DrawnPose drawn_pose(const Rig& rig, const MeshSampleOptions& options, int number);
RigPose pose_of(const Rig& rig, const DrawnPose& drawn);

}  // namespace imatch
