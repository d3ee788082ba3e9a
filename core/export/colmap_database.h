// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/field.h"
#include "export/export_set.h"

namespace imatch {

struct ColmapOptions {
  bool single_camera = false;
  double focal_factor = 1.2;
  static constexpr auto fields = std::tuple{
      field("single_camera", &ColmapOptions::single_camera, anything(),
            "One camera for all images of a size; else one for each image."),
      field("focal_factor", &ColmapOptions::focal_factor, in_range(0.01, 100),
            "First guess of the focal length, in longer sides of the image; 1.2 is COLMAP's own.")};
};

/// A database of COLMAP (colmap.github.io/database.html) with the tables of version 3: cameras
/// (SIMPLE_RADIAL, to be refined), images, keypoints, matches, and two_view_geometries with the inliers and
/// the homography of pairs that have one (config PLANAR_OR_PANORAMIC). Newer versions add what they need when
/// they open it. Everything is in the frame of the files as stored; COLMAP too has the centre of the top-left
/// pixel at (0.5, 0.5). A file at `path` is replaced. Throws Failure (unwritable).
void write_colmap(const ExportSet& set, const std::string& path, const ColmapOptions& options = {});

}  // namespace imatch
