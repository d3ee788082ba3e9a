// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <string_view>

#include "base/field.h"
#include "raster/screen_triangles.h"

namespace imatch {

inline constexpr std::string_view kRasterBackends[] = {"native", "torch"};

struct RasterOptions {
  int width = 160, height = 160;
  int layers = 8;
  double near_z = 0.1, far_z = 1e9;
  std::string backend = "native";
  static constexpr auto fields =
      std::tuple{field("width", &RasterOptions::width, in_range(1, 16384), "Of the picture, px."),
                 field("height", &RasterOptions::height, in_range(1, 16384), "Of the picture, px."),
                 field("layers", &RasterOptions::layers, in_range(1, 64),
                       "The nearest surfaces along each ray that are kept."),
                 field("near_z", &RasterOptions::near_z, in_range(1e-9, 1e9),
                       "What is nearer along the optical axis is not seen."),
                 field("far_z", &RasterOptions::far_z, in_range(1e-9, 1e12), "What is farther is not seen."),
                 field("backend", &RasterOptions::backend, one_of(kRasterBackends),
                       "native: tiles on the processor's threads. torch: LibTorch on the program's --device. "
                       "Both give the same.")};
};

/// The surfaces that the rays through the centres of pixels meet, near to far.
///
/// A pixel is inside of a triangle by its corners rounded to 1/4096 px, in whole numbers; one on an edge
/// belongs to exactly one of the two triangles there (top-left rule), so that rays neither slip through nor
/// count twice. No culling: a watertight mesh before the camera has an even number of surfaces at every
/// pixel. Depth is z along the optical axis in float32, perspective-correct. Surfaces of the same pixel and
/// depth count once if both face the camera or both face away: coincident surfaces are one, while front and
/// back of a solid that has no thickness there stay two. Of equal ones the triangle that comes first in the
/// mesh stays. (nvdiffrast's peeling counts by depth alone.)
struct Fragments {
  at::Tensor triangle;  ///< H×W×L int32: index of the triangle, -1 for none.
  at::Tensor
      weights;  ///< H×W×L×3 float32: what its corners have to say, each in [0, 1], sum 1; zeros for none.
  at::Tensor depth;             ///< H×W×L float32: z, zero for none.
  std::int64_t not_finite = 0;  ///< Triangles left out, since a corner is NaN or infinite.
};

/// `in_camera`: vertices in the camera's frame. Of the camera only its intrinsics count. Triangles must name
/// vertices that are there. Throws Error for near_z >= far_z and a picture of too many surfaces for the
/// memory.
Fragments rasterize(const std::vector<Vector3>& in_camera,
                    const std::vector<std::array<std::int32_t, 3>>& triangles, const PinholeCamera& camera,
                    const RasterOptions& options);

/// The same by LibTorch's operators on a device.
Fragments rasterize_by_torch(const std::vector<Vector3>& in_camera,
                             const std::vector<std::array<std::int32_t, 3>>& triangles,
                             const PinholeCamera& camera, const RasterOptions& options,
                             const std::string& device);

/// What the vertices have, N×C float32, at the fragments: H×W×L×C on the CPU, zeros where there is none.
at::Tensor interpolated(const Fragments& fragments, const std::vector<std::array<std::int32_t, 3>>& triangles,
                        const at::Tensor& of_vertices);

}  // namespace imatch
