// SPDX-License-Identifier: Apache-2.0
#include "pointmap/points_file.h"

#include <ATen/TensorIndexing.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/ones.h>
#include <fmt/format.h>

#include <string_view>

#include "base/error.h"
#include "io/npz.h"
#include "mesh/mesh_file.h"
#include "raster/sample_file.h"

namespace imatch {
namespace {

constexpr std::string_view kCanonical = "_canon.ply", kPosed = "_rec.ply";

/// [L, H, W, 7]: xyz and normal at rest, and 1.
PointMapPoints points_of_normal_layers(const at::Tensor& dense) {
  const at::Tensor maps = dense.permute({0, 3, 1, 2}).contiguous();
  PointMapPoints points = points_of_target(maps.reshape({-1, maps.size(2), maps.size(3)}));
  points.canonical_normal = points.posed;
  points.posed = at::Tensor();
  return points;
}

PointMapPoints points_of_sample(const SampleFile& sample) {
  const at::Tensor dense = dense_sample(sample);
  if (sample.shape[0] < sample.shape[2]) return points_of_normal_layers(dense);
  const at::Tensor maps = dense.permute({2, 3, 0, 1}).contiguous();
  PointMapPoints points = points_of_target(maps.reshape({-1, maps.size(2), maps.size(3)}));
  add_normals(points);
  return points;
}

PointMapPoints points_of_arrays(const at::Tensor& prediction, const at::Tensor* mask,
                                const PointMapPointOptions& options, const std::string& path) {
  const std::int64_t channels = prediction.dim() == 3 ? prediction.size(0) : 0;
  const bool one = channels == 6 || channels == 7;
  if (channels < 6 || (!one && channels % 8 != 0) || !prediction.is_floating_point())
    throw Failure(code::kBadFormat,
                  fmt::format("{}: 'prediction' has {} channels; expected an array [channels, rows, columns] "
                              "of 8 a layer, or 6 or 7 of one layer",
                              path, channels));
  at::Tensor there = at::ones({prediction.size(1), prediction.size(2)});
  if (mask) {
    if (mask->sizes() != there.sizes())
      throw Failure(code::kBadFormat, path + ": 'mask' and 'prediction' differ in rows or columns");
    there = mask->to(at::kFloat);
  }
  PointMapPoints points = points_of_prediction(prediction.to(at::kFloat), there,
                                               one ? 1 : static_cast<int>(channels / 8), options);
  add_normals(points);
  return points;
}

at::Tensor rows_of(const std::vector<Float3>& rows) {
  if (rows.empty()) return {};
  return at::from_blob(const_cast<float*>(rows.front().data()), {static_cast<std::int64_t>(rows.size()), 3},
                       at::kFloat)
      .clone();
}

at::Tensor scalar_of(const Mesh& cloud, std::string_view name) {
  for (const auto& [known, values] : cloud.scalars)
    if (known == name)
      return at::from_blob(const_cast<float*>(values.data()), {static_cast<std::int64_t>(values.size())},
                           at::kFloat)
          .clone();
  return {};
}

PointMapPoints points_of_clouds(const std::string& prefix, const PointMapPointOptions& options) {
  const std::string canonical_path = prefix + std::string(kCanonical),
                    posed_path = prefix + std::string(kPosed);
  const Mesh canonical = read_mesh(canonical_path).mesh, posed = read_mesh(posed_path).mesh;
  if (canonical.positions.size() != posed.positions.size())
    throw Failure(code::kBadFormat,
                  fmt::format("{}: {} points, and {} has {}", canonical_path, canonical.positions.size(),
                              posed_path, posed.positions.size()));
  PointMapPoints points{.canonical = rows_of(canonical.positions),
                        .posed = rows_of(posed.positions),
                        .confidence = scalar_of(canonical, "confidence"),
                        .layer = scalar_of(canonical, "layer"),
                        .pixel = {},
                        .canonical_normal = rows_of(canonical.normals),
                        .posed_normal = rows_of(posed.normals)};
  if (points.layer.defined()) points.layer = points.layer.to(at::kLong);
  if (!points.confidence.defined()) return points;
  const at::Tensor kept = points.confidence.ge(options.confidence);
  for (at::Tensor* part : {&points.canonical, &points.posed, &points.confidence, &points.layer,
                           &points.canonical_normal, &points.posed_normal})
    if (part->defined()) *part = part->index({kept}).contiguous();
  return points;
}

}  // namespace

PointMapPoints read_points(const std::string& path, const PointMapPointOptions& options) {
  const at::NoGradGuard no_gradients;
  for (const std::string_view ending : {kCanonical, kPosed})
    if (path.ends_with(ending)) return points_of_clouds(path.substr(0, path.size() - ending.size()), options);
  if (!path.ends_with(".npz"))
    throw Failure(code::kBadFormat,
                  path + ": expected an .npz, or a cloud named <id>_rec.ply or <id>_canon.ply");
  const StateDict arrays = read_npz(path);
  if (const at::Tensor* prediction = arrays.find("prediction"))
    return points_of_arrays(*prediction, arrays.find("mask"), options, path);
  return points_of_sample(sample_of(arrays, path));
}

}  // namespace imatch
