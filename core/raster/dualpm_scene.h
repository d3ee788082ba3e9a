// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <string_view>

#include "geometry/pinhole_camera.h"

namespace imatch {

/// A sample of a data set as DualPM's code reads it: which mesh stands how before which camera.
struct DualPmScene {
  std::string mesh;  ///< Path of the file.
  PinholeCamera camera;
  at::Tensor poses;  ///< A row w x y z tx ty tz a node, as pose_of_rows takes it.
};

/// Sample `id` below `root`, for a picture of size x size px: metadata/<id>_metadata.txt (lines `model_name:`
/// and `focal_length:`, mm), shapes/<model_name>/<model_name>_shape.gltf (or .glb, .obj, .ply),
/// cameras/<id>_camera.txt (camera-to-world, 4 lines of 4 numbers, z up, OpenGL's camera axes) and
/// poses/<id>_pose.npz. Throws Failure: not_found, unreadable, bad_format.
DualPmScene read_dualpm_scene(const std::string& root, std::string_view id, int size);

/// Whether a sample is told that way: its camera is there.
bool has_dualpm_scene(const std::string& root, std::string_view id);

}  // namespace imatch
