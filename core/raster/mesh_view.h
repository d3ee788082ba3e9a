// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "image/image.h"
#include "mesh/rig.h"
#include "raster/rasterize.h"

namespace imatch {

inline constexpr std::string_view kCameraAxes[] = {"opengl", "opencv"};

struct MeshViewOptions {
  int width = 160, height = 160;
  int layers = 8;
  double near_z = 0.1, far_z = 1e9;
  std::string backend = "native";
  double scale = 1;
  std::string clip;
  double time_s = 0;
  using Self = MeshViewOptions;
  static constexpr auto fields = std::tuple{
      field("width", &Self::width, in_range(1, 16384), "Of the picture, px."),
      field("height", &Self::height, in_range(1, 16384), "Of the picture, px."),
      field("layers", &Self::layers, in_range(1, 64), "The nearest surfaces along each ray that are kept."),
      field("near_z", &Self::near_z, in_range(1e-9, 1e9),
            "What is nearer along the optical axis is not seen."),
      field("far_z", &Self::far_z, in_range(1e-9, 1e12), "What is farther is not seen."),
      field("backend", &Self::backend, one_of(kRasterBackends),
            "native: tiles on the processor's threads. torch: LibTorch on the program's --device. Both give "
            "the same."),
      field("scale", &Self::scale, in_range(0, 1e9),
            "Factor of the mesh, at rest and posed, about its origin; 0: so that the largest side of its box "
            "at rest is 1."),
      field("clip", &Self::clip, anything(),
            "Animation that poses the mesh; empty: as the file has it at rest."),
      field("time_s", &Self::time_s, anything(), "Time in that clip.")};
};

/// A posed mesh as a camera sees it.
struct MeshView {
  std::shared_ptr<const RiggedMesh> mesh;
  PinholeCamera camera;
  RasterOptions options;
  double scale = 1;
  std::vector<Vector3> in_camera;  ///< The vertices, posed and scaled.
  Fragments fragments;
};

/// `posed`: the vertices in the world before they are scaled. Throws Error as rasterize does, and for a mesh
/// without triangles or without extent where the scale depends on it.
MeshView view_of(std::shared_ptr<const RiggedMesh> mesh, const std::vector<Float3>& posed,
                 const PinholeCamera& camera, const MeshViewOptions& options);

/// H×W×L×7 float32: xyz of the mesh at rest, xyz as posed in the camera frame with the depth of the world's
/// origin taken away from z, and 1; zeros where there is nothing. `axes`: "opengl" (x right, y up, z
/// backwards, as DualPM has it) or "opencv" (x right, y down, z forward).
at::Tensor point_layers(const MeshView& view, std::string_view axes);

/// L×H×W×7 float32: xyz and normal of the mesh at rest, and 1.
at::Tensor normal_layers(const MeshView& view);

/// H×W int64: how many surfaces are kept at each pixel.
at::Tensor layer_counts(const MeshView& view);

/// Whether a closed mesh is all around the camera: its triangles cover more than half of what can be seen
/// from there, those that face away counted negatively (Van Oosterom and Strackee 1983).
bool camera_is_inside(const MeshView& view);

struct RenderLook {
  int samples = 2;
  std::vector<double> background{255, 255, 255};
  static constexpr auto fields = std::tuple{
      field("samples", &RenderLook::samples, in_range(1, 8), "Rays a pixel along each side, averaged."),
      field("background", &RenderLook::background, anything(), "Red, green and blue, 0 to 255.")};
};

/// The mesh in its colours (of vertices, materials and their pictures), lit from the camera: by 0.35 + 0.65
/// |n v|.
Image rendered(const MeshView& view, const RenderLook& look = {});

/// `value` where a surface is seen, else 0, in all channels.
Image mask_of(const MeshView& view, std::uint8_t value = 255);

/// Normals of the nearest surface in the camera frame (OpenGL axes), turned towards the camera: 127.5 (1 +
/// n); black where there is none.
Image normal_picture(const MeshView& view);

}  // namespace imatch
