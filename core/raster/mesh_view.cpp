// SPDX-License-Identifier: Apache-2.0
#include "raster/mesh_view.h"

#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.h"
#include "raster/triangle_plane.h"

namespace imatch {
namespace {

at::Tensor as_tensor(const std::vector<float>& numbers, std::int64_t channels) {
  return at::from_blob(const_cast<float*>(numbers.data()),
                       {static_cast<std::int64_t>(numbers.size()) / channels, channels}, at::kFloat);
}

const std::vector<std::array<std::int32_t, 3>>& triangles_of(const MeshView& view) {
  return view.mesh->mesh.triangles;
}

std::vector<Float3> rest_normals(const Mesh& mesh) {
  return mesh.normals.empty() ? vertex_normals(mesh.positions, mesh.triangles) : mesh.normals;
}

/// Normals of the posed surface in the camera frame, one a vertex.
std::vector<Float3> camera_normals(const MeshView& view) {
  std::vector<Float3> positions;
  positions.reserve(view.in_camera.size());
  for (const Vector3& p : view.in_camera)
    positions.push_back({static_cast<float>(p.x), static_cast<float>(p.y), static_cast<float>(p.z)});
  return vertex_normals(positions, triangles_of(view));
}

void normalise(float* n) {
  const float length = std::sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]);
  if (length > 0)
    for (int k = 0; k < 3; ++k) n[k] /= length;
}

using Colour = std::array<float, 3>;

/// A picture at texture coordinates, repeated, bilinear.
Colour texel(const Image& picture, float u, float v) {
  const auto wrap = [](float at, int size) {
    return (at - std::floor(at)) * static_cast<float>(size) - 0.5F;
  };
  const float x = std::isfinite(u) ? wrap(u, picture.width) : 0,
              y = std::isfinite(v) ? wrap(v, picture.height) : 0;
  const float left = std::floor(x), top = std::floor(y), fx = x - left, fy = y - top;
  const auto at = [](float from, int step, int size) {
    return (static_cast<int>(from) + step + size) % size;
  };
  Colour colour{};
  for (int j = 0; j < 2; ++j)
    for (int i = 0; i < 2; ++i) {
      const std::uint8_t* p = picture.pixel(at(left, i, picture.width), at(top, j, picture.height));
      const float weight = (i ? fx : 1 - fx) * (j ? fy : 1 - fy);
      for (std::size_t k = 0; k < 3; ++k) colour[k] += weight * static_cast<float>(p[k]);
    }
  return colour;
}

/// What the nearest surface of each pixel looks like, before it is lit.
class Paint {
 public:
  explicit Paint(const Mesh& mesh) : mesh_(mesh) {}

  Colour operator()(std::int32_t triangle, const float* weights) const {
    const auto& corners = mesh_.triangles[static_cast<std::size_t>(triangle)];
    const auto blend = [&](const auto& list, std::size_t k) {
      float value = 0;
      for (std::size_t c = 0; c < 3; ++c)
        value += weights[c] * static_cast<float>(list[static_cast<std::size_t>(corners[c])][k]);
      return value;
    };
    Colour colour{200, 200, 200};
    const std::int32_t number =
        mesh_.material_of.empty() ? -1 : mesh_.material_of[static_cast<std::size_t>(triangle)];
    const MeshMaterial* material = number < 0 ? nullptr : &mesh_.materials[static_cast<std::size_t>(number)];
    const bool textured = material && material->texture && !mesh_.texture_coordinates.empty();
    if (textured)
      colour =
          texel(*material->texture, blend(mesh_.texture_coordinates, 0), blend(mesh_.texture_coordinates, 1));
    else if (material || !mesh_.colours.empty())
      colour = {255, 255, 255};
    for (std::size_t k = 0; k < 3; ++k) {
      if (material) colour[k] *= std::clamp(material->base_colour[k], 0.F, 1.F);
      if (!mesh_.colours.empty()) colour[k] *= blend(mesh_.colours, k) / 255;
    }
    return colour;
  }

 private:
  const Mesh& mesh_;
};

}  // namespace

MeshView view_of(std::shared_ptr<const RiggedMesh> mesh, const std::vector<Float3>& posed,
                 const PinholeCamera& camera, const MeshViewOptions& o) {
  if (mesh->mesh.triangles.empty()) throw Error("raster: the mesh has no triangles");
  if (posed.size() != mesh->mesh.positions.size())
    throw Error(
        fmt::format("raster: {} posed vertices of a mesh of {}", posed.size(), mesh->mesh.positions.size()));
  double scale = o.scale;
  if (scale == 0) {
    const double extent = box_of(mesh->mesh.positions).extent();
    if (!(extent > 0)) throw Error("raster: scale 0: the mesh has no extent");
    scale = 1 / extent;
  }
  MeshView view{std::move(mesh), camera, {o.width, o.height, o.layers, o.near_z, o.far_z, o.backend},
                scale,           {},     {}};
  view.in_camera.reserve(posed.size());
  for (const Float3& p : posed)
    view.in_camera.push_back(camera.camera_from_world({scale * p[0], scale * p[1], scale * p[2]}));
  view.fragments = rasterize(view.in_camera, triangles_of(view), camera, view.options);
  return view;
}

at::Tensor point_layers(const MeshView& view, std::string_view axes) {
  const bool opengl = axes == "opengl";
  if (!opengl && axes != "opencv")
    throw Error(fmt::format("raster: axes '{}' is not allowed; expected 'opengl' or 'opencv'", axes));
  const auto& rest = view.mesh->mesh.positions;
  const double flip = opengl ? -1 : 1;
  std::vector<float> numbers;
  numbers.reserve(7 * rest.size());
  for (std::size_t i = 0; i < rest.size(); ++i) {
    for (const float x : rest[i]) numbers.push_back(static_cast<float>(view.scale * x));
    const Vector3& p = view.in_camera[i];
    for (const double x : {p.x, flip * p.y, flip * (p.z - view.camera.translation.z), 1.0})
      numbers.push_back(static_cast<float>(x));
  }
  at::Tensor points = interpolated(view.fragments, triangles_of(view), as_tensor(numbers, 7));
  points.select(3, 6).copy_(view.fragments.triangle.ge(0));  // not 1 up to rounding
  return points;
}

at::Tensor normal_layers(const MeshView& view) {
  const Mesh& mesh = view.mesh->mesh;
  const std::vector<Float3> normals = rest_normals(mesh);
  std::vector<float> numbers;
  for (std::size_t i = 0; i < mesh.positions.size(); ++i) {
    for (const float x : mesh.positions[i]) numbers.push_back(static_cast<float>(view.scale * x));
    for (const float x : normals[i]) numbers.push_back(x);
    numbers.push_back(1);
  }
  at::Tensor dense = interpolated(view.fragments, triangles_of(view), as_tensor(numbers, 7));
  auto* row = dense.mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < dense.numel(); i += 7) normalise(row + i + 3);
  dense.select(3, 6).copy_(view.fragments.triangle.ge(0));
  return dense.permute({2, 0, 1, 3}).contiguous();
}

at::Tensor layer_counts(const MeshView& view) {
  return view.fragments.triangle.cpu().ge(0).sum(2);
}

bool camera_is_inside(const MeshView& view) {
  Vector3 low = view.in_camera.empty() ? Vector3{1, 1, 1} : view.in_camera.front(), high = low;
  for (const Vector3& p : view.in_camera) {
    low = {std::min(low.x, p.x), std::min(low.y, p.y), std::min(low.z, p.z)};
    high = {std::max(high.x, p.x), std::max(high.y, p.y), std::max(high.z, p.z)};
  }
  if (low.x > 0 || low.y > 0 || low.z > 0 || high.x < 0 || high.y < 0 || high.z < 0) return false;
  double angle = 0;
  for (const auto& [ia, ib, ic] : triangles_of(view)) {
    const Vector3 a = view.in_camera[static_cast<std::size_t>(ia)],
                  b = view.in_camera[static_cast<std::size_t>(ib)],
                  c = view.in_camera[static_cast<std::size_t>(ic)];
    const double la = std::sqrt(dot(a, a)), lb = std::sqrt(dot(b, b)), lc = std::sqrt(dot(c, c));
    angle +=
        2 * std::atan2(dot(a, cross(b, c)), la * lb * lc + dot(a, b) * lc + dot(b, c) * la + dot(c, a) * lb);
  }
  return std::abs(angle) > 2 * std::numbers::pi;
}

Image rendered(const MeshView& view, const RenderLook& look) {
  if (look.background.size() != 3)
    throw Error(fmt::format("raster: background: {} numbers; expected 3", look.background.size()));
  const int n = look.samples;
  PinholeCamera camera = view.camera;
  camera.fx *= n, camera.fy *= n, camera.cx *= n, camera.cy *= n;
  RasterOptions options = view.options;
  options.width *= n, options.height *= n, options.layers = 1, options.backend = "native";
  const Fragments fragments = rasterize(view.in_camera, triangles_of(view), camera, options);
  const std::vector<Float3> normals = camera_normals(view);
  const Paint paint(view.mesh->mesh);
  const auto* triangle = fragments.triangle.const_data_ptr<std::int32_t>();
  const auto* weights = fragments.weights.const_data_ptr<float>();
  Image image(view.options.width, view.options.height);
#pragma omp parallel for schedule(static)
  for (int y = 0; y < image.height; ++y)
    for (int x = 0; x < image.width; ++x) {
      Colour sum{};
      for (int s = 0; s < n * n; ++s) {
        const int px = x * n + s % n, py = y * n + s / n;
        const auto at = static_cast<std::size_t>(py) * static_cast<std::size_t>(options.width) +
                        static_cast<std::size_t>(px);
        if (triangle[at] < 0) {
          for (std::size_t k = 0; k < 3; ++k) sum[k] += static_cast<float>(look.background[k]);
          continue;
        }
        const float* w = weights + 3 * at;
        const auto& corners = triangles_of(view)[static_cast<std::size_t>(triangle[at])];
        float normal[3]{};
        for (std::size_t c = 0; c < 3; ++c)
          for (std::size_t k = 0; k < 3; ++k)
            normal[k] += w[c] * normals[static_cast<std::size_t>(corners[c])][k];
        normalise(normal);
        Vector3 ray{(px + 0.5 - camera.cx) / camera.fx, (py + 0.5 - camera.cy) / camera.fy, 1};
        ray = (1 / std::sqrt(dot(ray, ray))) * ray;
        const auto facing =
            static_cast<float>(std::abs(normal[0] * ray.x + normal[1] * ray.y + normal[2] * ray.z));
        const Colour colour = paint(triangle[at], w);
        for (std::size_t k = 0; k < 3; ++k) sum[k] += (0.35F + 0.65F * facing) * colour[k];
      }
      for (std::size_t k = 0; k < 3; ++k)
        image.pixel(x, y)[k] = static_cast<std::uint8_t>(
            std::lround(std::clamp(sum[k] / static_cast<float>(n * n), 0.F, 255.F)));
    }
  return image;
}

Image mask_of(const MeshView& view, std::uint8_t value) {
  Image mask(view.options.width, view.options.height);
  const at::Tensor nearest = view.fragments.triangle.cpu().select(2, 0).contiguous();
  const auto* triangle = nearest.const_data_ptr<std::int32_t>();
  for (std::size_t i = 0; i < mask.rgb.size(); ++i)
    mask.rgb[i] = triangle[i / 3] < 0 ? std::uint8_t{0} : value;
  return mask;
}

Image normal_picture(const MeshView& view) {
  std::vector<float> numbers;
  for (const Float3& n : camera_normals(view))
    for (const float x : n) numbers.push_back(x);
  const Fragments nearest{view.fragments.triangle.cpu().narrow(2, 0, 1).contiguous(),
                          view.fragments.weights.cpu().narrow(2, 0, 1).contiguous(),
                          {},
                          0};
  const at::Tensor normals = interpolated(nearest, triangles_of(view), as_tensor(numbers, 3));
  auto* n = normals.mutable_data_ptr<float>();
  const auto* triangle = nearest.triangle.const_data_ptr<std::int32_t>();
  Image image(view.options.width, view.options.height);
  for (std::size_t i = 0; i < image.rgb.size() / 3; ++i, n += 3) {
    if (triangle[i] < 0) continue;
    normalise(n);
    const float towards = n[2] > 0 ? -1.F : 1.F;  // z is forward here: what faces the camera has it below 0
    const float opengl[3] = {towards * n[0], -towards * n[1], -towards * n[2]};
    for (std::size_t k = 0; k < 3; ++k)
      image.rgb[3 * i + k] = static_cast<std::uint8_t>(std::lround(127.5F * (1 + opengl[k])));
  }
  return image;
}

}  // namespace imatch
