// SPDX-License-Identifier: Apache-2.0
#include "mesh/rig.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/spelling.h"

namespace imatch {
namespace {

using Path = RigChannel::Path;
using Interpolation = RigChannel::Interpolation;

/// Four numbers of a channel at a time; the fourth only for rotations.
std::array<double, 4> sample(const RigChannel& channel, double time_s) {
  const std::size_t width = channel.path == Path::kRotation ? 4 : 3;
  const bool spline = channel.interpolation == Interpolation::kCubicSpline;
  const std::size_t stride = spline ? 3 * width : width, keys = channel.times_s.size();
  const auto at = [&](std::size_t key, std::size_t part) {  // part: 0 in-tangent, 1 value, 2 out-tangent
    std::array<double, 4> value{};
    for (std::size_t k = 0; k < width; ++k)
      value[k] = channel.values[key * stride + (spline ? part * width : 0) + k];
    return value;
  };
  const auto next = std::upper_bound(channel.times_s.begin(), channel.times_s.end(), time_s);
  if (next == channel.times_s.begin()) return at(0, 1);
  const auto b = static_cast<std::size_t>(next - channel.times_s.begin()), a = b - 1;
  if (b == keys) return at(a, 1);
  const double span = double{channel.times_s[b]} - channel.times_s[a];
  const double t = span > 0 ? (time_s - channel.times_s[a]) / span : 0;
  const std::array<double, 4> from = at(a, 1), to = at(b, 1);
  if (channel.interpolation == Interpolation::kStep) return from;
  std::array<double, 4> value{};
  if (spline) {
    const std::array<double, 4> leave = at(a, 2), arrive = at(b, 0);
    const double t2 = t * t, t3 = t2 * t;
    for (std::size_t k = 0; k < width; ++k)
      value[k] = (2 * t3 - 3 * t2 + 1) * from[k] + span * (t3 - 2 * t2 + t) * leave[k] +
                 (-2 * t3 + 3 * t2) * to[k] + span * (t3 - t2) * arrive[k];
    return value;
  }
  if (width == 4) {
    const Quaternion q = slerp({from[3], from[0], from[1], from[2]}, {to[3], to[0], to[1], to[2]}, t);
    return {q.x, q.y, q.z, q.w};
  }
  for (std::size_t k = 0; k < width; ++k) value[k] = (1 - t) * from[k] + t * to[k];
  return value;
}

}  // namespace

double RigClip::duration_s() const {
  double last = 0;
  for (const RigChannel& channel : channels)
    if (!channel.times_s.empty()) last = std::max(last, double{channel.times_s.back()});
  return last;
}

RigPose rest_pose(const Rig& rig) {
  RigPose pose;
  for (const RigNode& node : rig.nodes) pose.push_back(node.rest);
  return pose;
}

const RigClip& clip_named(const Rig& rig, std::string_view name) {
  const auto found = std::ranges::find(rig.clips, name, &RigClip::name);
  if (found != rig.clips.end()) return *found;
  std::vector<std::string> names;
  for (const RigClip& known : rig.clips) names.push_back(known.name);
  throw Error(fmt::format(
      "mesh: no clip '{}'; {}", name,
      names.empty() ? "the file has none" : fmt::format("the file has '{}'", fmt::join(names, "', '"))));
}

RigPose pose_at(const Rig& rig, std::string_view clip, double time_s) {
  const RigClip& found = clip_named(rig, clip);
  if (!std::isfinite(time_s)) throw Error("mesh: the time of a pose is not finite");
  RigPose pose = rest_pose(rig);
  for (const RigChannel& channel : found.channels) {
    const auto [x, y, z, w] = sample(channel, time_s);
    TransformParts& parts = pose[static_cast<std::size_t>(channel.node)];
    if (channel.path == Path::kTranslation)
      parts.translation = {x, y, z};
    else if (channel.path == Path::kRotation)
      parts.rotation = {w, x, y, z};
    else
      parts.scale = {x, y, z};
  }
  return pose;
}

RigPose pose_of_rows(const Rig& rig, const at::Tensor& rows, const std::string& name) {
  const auto count = static_cast<std::int64_t>(rig.nodes.size());
  if (rows.dim() != 2 || rows.size(1) != 7 || rows.size(0) != count)
    throw Failure(code::kBadFormat,
                  fmt::format("{}: poses of shape {}; expected {} rows, one a node, of 7 numbers: "
                              "quaternion w x y z, translation",
                              name, fmt::format("{}", fmt::join(rows.sizes(), "x")), count));
  const at::Tensor numbers = rows.cpu().to(at::kDouble).contiguous();
  const double* row = numbers.const_data_ptr<double>();
  if (!std::all_of(row, row + 7 * count, [](double x) { return std::isfinite(x); }))
    throw Failure(code::kBadFormat, name + ": a number of the poses is not finite");
  RigPose pose;
  for (std::int64_t i = 0; i < count; ++i, row += 7)
    pose.push_back({{row[4], row[5], row[6]}, {row[0], row[1], row[2], row[3]}, {1, 1, 1}});
  return pose;
}

std::vector<Matrix4> world_from_nodes(const Rig& rig, const RigPose& pose) {
  const std::size_t count = rig.nodes.size();
  if (pose.size() != count)
    throw Error(fmt::format("mesh: a pose of {} nodes for a skeleton of {}", pose.size(), count));
  std::vector<Matrix4> world(count);
  std::vector<bool> known(count);
  std::vector<std::size_t> chain;
  for (std::size_t i = 0; i < count; ++i) {
    // Up to an ancestor that is known, and down again: files may name children before their parents.
    for (auto at = static_cast<int>(i); at >= 0 && !known[static_cast<std::size_t>(at)];
         at = rig.nodes[static_cast<std::size_t>(at)].parent)
      chain.push_back(static_cast<std::size_t>(at));
    for (; !chain.empty(); chain.pop_back()) {
      const std::size_t node = chain.back();
      const TransformParts& p = pose[node];
      const Matrix4 local = transform_of(p.translation, p.rotation, p.scale);
      const int parent = rig.nodes[node].parent;
      world[node] = parent < 0 ? local : world[static_cast<std::size_t>(parent)] * local;
      known[node] = true;
    }
  }
  return world;
}

std::vector<Matrix4> joint_matrices(const Rig& rig, const RigPose& pose) {
  const std::vector<Matrix4> world = world_from_nodes(rig, pose);
  std::vector<Matrix4> matrices;
  for (std::size_t j = 0; j < rig.joints.size(); ++j)
    matrices.push_back(world[static_cast<std::size_t>(rig.joints[j])] * rig.inverse_bind[j]);
  return matrices;
}

std::vector<Float3> skinned(const std::vector<Float3>& positions, const std::vector<std::size_t>& first,
                            const std::vector<Influence>& influences, const std::vector<Matrix4>& matrices) {
  if (first.size() != positions.size() + 1 || first.back() > influences.size())
    throw Error(fmt::format("mesh: influences of {} vertices for {}", first.empty() ? 0 : first.size() - 1,
                            positions.size()));
  for (const Influence& influence : influences)
    if (influence.joint < 0 || static_cast<std::size_t>(influence.joint) >= matrices.size())
      throw Error(fmt::format("mesh: a vertex names joint {} of {}", influence.joint, matrices.size()));
  std::vector<Float3> moved(positions.size());
#pragma omp parallel for schedule(static)
  for (std::size_t i = 0; i < positions.size(); ++i) {
    const Float3& p = positions[i];
    std::array<double, 12> blend{};
    for (std::size_t k = first[i]; k < first[i + 1]; ++k) {
      const double weight = influences[k].weight;
      const auto& m = matrices[static_cast<std::size_t>(influences[k].joint)].m;
      for (std::size_t e = 0; e < 12; ++e) blend[e] += weight * m[e];
    }
    for (std::size_t r = 0; r < 3; ++r)
      moved[i][r] = static_cast<float>(blend[4 * r] * p[0] + blend[4 * r + 1] * p[1] +
                                       blend[4 * r + 2] * p[2] + blend[4 * r + 3]);
  }
  return moved;
}

std::vector<Float3> posed_positions(const RiggedMesh& mesh, const RigPose& pose) {
  const Rig& rig = mesh.rig;
  if (!rig.joints.empty())
    return skinned(mesh.mesh.positions, rig.first_influence, rig.influences, joint_matrices(rig, pose));
  if (rig.mesh_node < 0) return mesh.mesh.positions;
  const Matrix4 world = world_from_nodes(rig, pose)[static_cast<std::size_t>(rig.mesh_node)];
  std::vector<Float3> moved;
  moved.reserve(mesh.mesh.positions.size());
  for (const Float3& p : mesh.mesh.positions) {
    const Vector3 q = world(Vector3{p[0], p[1], p[2]});
    moved.push_back({static_cast<float>(q.x), static_cast<float>(q.y), static_cast<float>(q.z)});
  }
  return moved;
}

}  // namespace imatch
