// SPDX-License-Identifier: Apache-2.0
#include "pointmap/clouds.h"

#include <ATen/TensorOperators.h>
#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "base/error.h"
#include "mesh/mesh_file.h"

namespace imatch {
namespace {

std::vector<float> floats_of(const at::Tensor& tensor) {
  const at::Tensor row = tensor.to(at::kCPU, at::kFloat).contiguous();
  return {row.const_data_ptr<float>(), row.const_data_ptr<float>() + row.numel()};
}

std::vector<Float3> rows_of(const at::Tensor& tensor) {
  std::vector<Float3> rows(static_cast<std::size_t>(tensor.size(0)));
  const std::vector<float> numbers = floats_of(tensor);
  std::ranges::copy(numbers, rows.front().data());
  return rows;
}

Mesh cloud_of(const at::Tensor& positions, const at::Tensor& normals, const PointMapPoints& points,
              bool colour, const PointCloudFileOptions& with) {
  Mesh mesh;
  mesh.positions = rows_of(positions);
  if (with.normals) mesh.normals = rows_of(normals);
  if (colour) {
    const at::Tensor low = points.canonical.amin({0}), high = points.canonical.amax({0});
    const std::vector<float> shades =
        floats_of((points.canonical - low) / (high - low).clamp_min(1e-9) * 255);
    mesh.colours.resize(mesh.positions.size());
    std::ranges::transform(shades, mesh.colours.front().data(),
                           [](float shade) { return static_cast<std::uint8_t>(shade + 0.5F); });
  }
  if (with.confidence) mesh.scalars.emplace_back("confidence", floats_of(points.confidence));
  if (with.layer) mesh.scalars.emplace_back("layer", floats_of(points.layer));
  return mesh;
}

}  // namespace

std::vector<std::string> write_point_clouds(const std::string& prefix, const PointMapPoints& points,
                                            const PointCloudFileOptions& options) {
  if (points.canonical.size(0) == 0)
    throw Failure(code::kNoResult,
                  prefix + ": no points are left; lower the limits of occupancy and confidence");
  for (const auto& [wanted, part, name] : {std::tuple{true, points.posed, "posed points"},
                                           {options.confidence, points.confidence, "confidence"},
                                           {options.layer, points.layer, "layer"}})
    if (wanted && !part.defined()) throw Error(fmt::format("save: the points have no {}", name));
  PointMapPoints all = points;
  if (options.normals && !all.posed_normal.defined()) add_normals(all);
  std::vector<std::string> files;
  for (const auto& [ending, positions, normals] :
       {std::tuple{"_canon", all.canonical, all.canonical_normal}, {"_rec", all.posed, all.posed_normal}}) {
    files.push_back(prefix + ending + ".ply");
    write_ply(files.back(), cloud_of(positions, normals, all, options.colour, options),
              {.ascii = options.ascii});
    if (!options.glb) continue;
    files.push_back(prefix + ending + ".glb");
    write_glb(files.back(), {.mesh = cloud_of(positions, normals, all, true, options), .rig = {}});
  }
  return files;
}

}  // namespace imatch
