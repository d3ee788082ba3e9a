// SPDX-License-Identifier: Apache-2.0
#include "pointmap/clouds.h"

#include <ATen/TensorOperators.h>

#include <algorithm>

#include "base/error.h"
#include "mesh/mesh_file.h"

namespace imatch {
namespace {

std::vector<float> floats_of(const at::Tensor& tensor) {
  const at::Tensor row = tensor.to(at::kCPU, at::kFloat).contiguous();
  return {row.const_data_ptr<float>(), row.const_data_ptr<float>() + row.numel()};
}

Mesh cloud_of(const at::Tensor& positions, const PointMapPoints& points, bool colour,
              const PointCloudFileOptions& with) {
  Mesh mesh;
  mesh.positions.resize(static_cast<std::size_t>(positions.size(0)));
  const std::vector<float> numbers = floats_of(positions);
  std::ranges::copy(numbers, mesh.positions.front().data());
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
  if (points.layer.size(0) == 0)
    throw Failure(code::kNoResult,
                  prefix + ": no points are left; lower the limits of occupancy and confidence");
  std::vector<std::string> files;
  for (const auto& [ending, positions] : {std::pair{"_canon", points.canonical}, {"_rec", points.posed}}) {
    files.push_back(prefix + ending + ".ply");
    write_ply(files.back(), cloud_of(positions, points, options.colour, options), {.ascii = options.ascii});
    if (!options.glb) continue;
    files.push_back(prefix + ending + ".glb");
    write_glb(files.back(), {.mesh = cloud_of(positions, points, true, options), .rig = {}});
  }
  return files;
}

}  // namespace imatch
