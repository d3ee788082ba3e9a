// SPDX-License-Identifier: Apache-2.0
#include "pointmap/skeleton.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/diag.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linalg_det.h>
#include <ATen/ops/linalg_svd.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <fmt/format.h>

#include <cmath>

#include "base/error.h"
#include "evaluation/point_tree.h"

namespace imatch {
namespace {

constexpr double kLeastSpread = 1e-6;  // of the second axis, by the first: else the points lie on a line

Vector3 vector_of(const Float3& p) {
  return {p[0], p[1], p[2]};
}

/// Which points speak for a joint, and how loud.
struct JointPoints {
  std::vector<Vector3> from, to;
  std::vector<double> weights;
};

at::Tensor rows_of(const std::vector<Vector3>& points) {
  const at::Tensor rows = at::empty({static_cast<std::int64_t>(points.size()), 3}, at::kDouble);
  double* to = rows.mutable_data_ptr<double>();
  for (const Vector3& p : points)
    for (const double value : {p.x, p.y, p.z}) *to++ = value;
  return rows;
}

std::optional<Matrix4> rigid_map(const JointPoints& points) {
  if (points.from.size() < 3) return std::nullopt;
  const at::Tensor from = rows_of(points.from), to = rows_of(points.to);
  at::Tensor weights = at::empty({from.size(0), 1}, at::kDouble);
  std::copy(points.weights.begin(), points.weights.end(), weights.mutable_data_ptr<double>());
  weights = weights / weights.sum();
  const at::Tensor centre_from = (from * weights).sum(0), centre_to = (to * weights).sum(0);
  const at::Tensor a = from - centre_from, b = to - centre_to;
  for (const at::Tensor& spread : {a, b}) {
    const at::Tensor values = std::get<1>(at::linalg_svd(spread, false));
    if (values[1].item<double>() <= kLeastSpread * values[0].item<double>()) return std::nullopt;
  }
  const auto [u, s, v] = at::linalg_svd(at::matmul((a * weights).t(), b));
  const at::Tensor mirror = at::ones({3}, at::kDouble);
  mirror[2].fill_(at::linalg_det(at::matmul(u, v)).item<double>() < 0 ? -1 : 1);
  const at::Tensor rotation = at::matmul(at::matmul(v.t(), at::diag(mirror)), u.t());
  const at::Tensor shift = centre_to - at::matmul(rotation, centre_from);
  Matrix4 map;
  for (int row = 0; row < 3; ++row) {
    for (int column = 0; column < 3; ++column) map(row, column) = rotation[row][column].item<double>();
    map(row, 3) = shift[row].item<double>();
  }
  return map;
}

std::vector<Vector3> points_of(const at::Tensor& tensor, const char* what, double scale) {
  if (tensor.dim() != 2 || tensor.size(1) != 3)
    throw Error(fmt::format("skeleton: {} points with {} axes; expected [N, 3]", what, tensor.dim()));
  const at::Tensor rows = tensor.to(at::kCPU, at::kDouble).contiguous();
  const double* p = rows.const_data_ptr<double>();
  std::vector<Vector3> points;
  for (std::int64_t i = 0; i < rows.size(0); ++i, p += 3)
    points.push_back({p[0] / scale, p[1] / scale, p[2] / scale});
  return points;
}

/// What skinning blends at a vertex, by the joints that were found; none: none of its joints was.
std::optional<Matrix4> blended(const Rig& rig, const SkeletonFit& fit, const std::vector<Matrix4>& skinning,
                               std::size_t vertex) {
  Matrix4 sum;
  sum.m.fill(0);
  double total = 0;
  for (std::size_t i = rig.first_influence[vertex]; i < rig.first_influence[vertex + 1]; ++i) {
    const Influence& influence = rig.influences[i];
    const auto joint = static_cast<std::size_t>(influence.joint);
    if (!fit.found[joint]) continue;
    total += influence.weight;
    for (std::size_t k = 0; k < 16; ++k) sum.m[k] += influence.weight * skinning[joint].m[k];
  }
  if (total <= 1e-8) return std::nullopt;
  for (double& value : sum.m) value /= total;
  return sum;
}

std::vector<Matrix4> skinning_of(const Rig& rig, const SkeletonFit& fit) {
  std::vector<Matrix4> skinning;
  for (std::size_t joint = 0; joint < rig.joints.size(); ++joint)
    skinning.push_back(fit.joints[joint] * rig.inverse_bind[joint]);
  return skinning;
}

}  // namespace

SkeletonFit fit_skeleton(const RiggedMesh& mesh, const at::Tensor& canonical, const at::Tensor& posed,
                         const SkeletonOptions& options) {
  const at::NoGradGuard no_gradients;
  const Rig& rig = mesh.rig;
  if (rig.joints.empty()) throw Error("skeleton: the mesh has no joints");
  const double extent = box_of(mesh.mesh.positions).extent();
  if (options.scale == 0 && extent <= 0) throw Error("skeleton: the mesh has no extent to be scaled by");
  const double scale = options.scale == 0 ? 1 / extent : options.scale;
  const std::vector<Vector3> rest = points_of(canonical, "canonical", scale),
                             moved = points_of(posed, "posed", scale);
  if (rest.size() != moved.size())
    throw Error(fmt::format("skeleton: {} canonical and {} posed points; expected as many", rest.size(),
                            moved.size()));
  std::vector<PointTree::Point> vertices;
  for (const Float3& p : mesh.mesh.positions) vertices.push_back({p[0], p[1], p[2]});
  const PointTree tree(vertices);
  std::vector<JointPoints> of_joint(rig.joints.size());
  std::vector<std::pair<std::size_t, std::size_t>> kept;  // point, vertex
  for (std::size_t i = 0; i < rest.size(); ++i) {
    const auto vertex = static_cast<std::size_t>(tree.nearest({rest[i].x, rest[i].y, rest[i].z}));
    const Vector3 at = vector_of(mesh.mesh.positions[vertex]);
    if (std::hypot(at.x - rest[i].x, at.y - rest[i].y, at.z - rest[i].z) * scale > options.reach) continue;
    kept.emplace_back(i, vertex);
    for (std::size_t k = rig.first_influence[vertex]; k < rig.first_influence[vertex + 1]; ++k) {
      const Influence& influence = rig.influences[k];
      if (influence.weight <= (options.weighted ? 0 : options.least_weight)) continue;
      const auto joint = static_cast<std::size_t>(influence.joint);
      of_joint[joint].from.push_back(rig.inverse_bind[joint](at));
      of_joint[joint].to.push_back(moved[i]);
      of_joint[joint].weights.push_back(options.weighted ? influence.weight : 1);
    }
  }
  SkeletonFit fit{
      .joints = std::vector<Matrix4>(rig.joints.size()), .found = {}, .scale = scale, .points = kept.size()};
  bool any = false;
  for (std::size_t joint = 0; joint < of_joint.size(); ++joint) {
    const auto map = rigid_map(of_joint[joint]);
    fit.found.push_back(map.has_value());
    if (map) fit.joints[joint] = *map;
    any = any || map;
  }
  if (!any) throw Failure(code::kNoResult, "skeleton: no joint has 3 points that do not lie on a line");
  const std::vector<Matrix4> skinning = skinning_of(rig, fit);
  std::size_t measured = 0;
  for (const auto& [point, vertex] : kept) {
    const auto forth = blended(rig, fit, skinning, vertex);
    const auto back = forth ? inverse(*forth) : std::nullopt;
    if (!back) continue;
    const Vector3 at = (*back)(moved[point]);
    fit.canonical_error += std::hypot(at.x - rest[point].x, at.y - rest[point].y, at.z - rest[point].z);
    ++measured;
  }
  if (measured > 0) fit.canonical_error *= scale / static_cast<double>(measured);
  return fit;
}

RiggedMesh posed_mesh(const RiggedMesh& mesh, const SkeletonFit& fit) {
  RiggedMesh result{.mesh = mesh.mesh, .rig = {}};
  const std::vector<Matrix4> skinning = skinning_of(mesh.rig, fit);
  for (std::size_t vertex = 0; vertex < result.mesh.positions.size(); ++vertex) {
    Vector3 at = vector_of(mesh.mesh.positions[vertex]);
    if (const auto map = blended(mesh.rig, fit, skinning, vertex)) at = (*map)(at);
    result.mesh.positions[vertex] = {static_cast<float>(fit.scale * at.x),
                                     static_cast<float>(fit.scale * at.y),
                                     static_cast<float>(fit.scale * at.z)};
  }
  result.mesh.normals.clear();
  return result;
}

}  // namespace imatch
