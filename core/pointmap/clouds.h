// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/field.h"
#include "pointmap/points.h"

namespace imatch {

struct PointCloudFileOptions {
  bool ascii = false;
  bool colour = false;
  bool confidence = false;
  bool layer = false;
  bool normals = false;
  bool glb = false;

  using Self = PointCloudFileOptions;
  static constexpr auto fields = std::tuple{
      field("ascii", &Self::ascii, anything(), "PLY as text instead of little-endian binary."),
      field("colour", &Self::colour, anything(), "Colours by canonical position, the same in both clouds."),
      field("confidence", &Self::confidence, anything(), "A property confidence of each point."),
      field("layer", &Self::layer, anything(), "A property layer of each point, from 0."),
      field("normals", &Self::normals, anything(),
            "Normals, outwards for a closed surface; 0 where a point has no neighbours."),
      field("glb", &Self::glb, anything(), "The same as GLB, always in colour.")};
};

/// Writes PREFIX_canon.ply and PREFIX_rec.ply, with `glb` also PREFIX_canon.glb and PREFIX_rec.glb. Returns
/// the names. Throws Failure (no_result when there are no points; unwritable, no_space).
std::vector<std::string> write_point_clouds(const std::string& prefix, const PointMapPoints& points,
                                            const PointCloudFileOptions& options);

}  // namespace imatch
