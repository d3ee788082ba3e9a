// SPDX-License-Identifier: Apache-2.0
#include "mesh/sampled_pose.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <random>

#include "base/error.h"

namespace imatch {
namespace {

double distance(Vector3 a, Vector3 b) {
  return std::hypot(a.x - b.x, a.y - b.y, a.z - b.z);
}

struct Bone {
  int node = 0, parent = -1;  ///< Nodes; the first bone has no parent.
};

/// A tree of shortest distances over nodes that have no parents (Prim 1957), parents first.
std::vector<Bone> tree_of(const Rig& rig) {
  std::vector<Vector3> places;
  Vector3 middle;
  for (const int joint : rig.joints) {
    const Vector3 p = rig.nodes[static_cast<std::size_t>(joint)].rest.translation;
    places.push_back(p);
    const double share = 1.0 / static_cast<double>(rig.joints.size());
    middle = {middle.x + p.x * share, middle.y + p.y * share, middle.z + p.z * share};
  }
  std::vector<double> nearest(places.size(), std::numeric_limits<double>::infinity());
  std::vector<int> parent(places.size(), -1);
  std::vector<char> done(places.size(), 0);
  std::size_t next = 0;
  for (std::size_t i = 1; i < places.size(); ++i)
    if (distance(places[i], middle) < distance(places[next], middle)) next = i;
  std::vector<Bone> bones;
  for (std::size_t taken = 0; taken < places.size(); ++taken) {
    done[next] = 1;
    bones.push_back({rig.joints[next], parent[next]});
    std::size_t best = next;
    for (std::size_t i = 0; i < places.size(); ++i) {
      if (done[i]) continue;
      if (const double d = distance(places[i], places[next]); d < nearest[i]) {
        nearest[i] = d;
        parent[i] = rig.joints[next];
      }
      if (done[best] || nearest[i] < nearest[best]) best = i;
    }
    next = best;
  }
  return bones;
}

/// std::uniform_real_distribution gives other numbers with other libraries.
class UniformNumbers {
 public:
  explicit UniformNumbers(std::uint64_t seed) : random_(seed) {}
  double operator()(double low, double high) {
    return low + (high - low) * static_cast<double>(random_() >> 11) * 0x1.0p-53;
  }

 private:
  std::mt19937_64 random_;
};

class Bend {
 public:
  Bend(double bend_deg, std::uint64_t seed) : uniform_(seed), most_(bend_deg * std::numbers::pi / 180) {}

  Matrix4 rotation() {
    const double z = uniform_(-1, 1), turn = uniform_(0, 2 * std::numbers::pi),
                 half = uniform_(-most_, most_) / 2;
    const double flat = std::sqrt(1 - z * z), s = std::sin(half);
    return transform_of({}, {std::cos(half), s * flat * std::cos(turn), s * flat * std::sin(turn), s * z});
  }

 private:
  UniformNumbers uniform_;
  double most_;
};

Matrix4 about(Vector3 pivot, const Matrix4& rotation) {
  return transform_of(pivot, {}) * rotation * transform_of({-pivot.x, -pivot.y, -pivot.z}, {});
}

}  // namespace

RigPose sampled_pose(const Rig& rig, double bend_deg, std::uint64_t seed) {
  if (rig.joints.empty()) throw Error("pose: the mesh has no joints that could bend");
  RigPose pose = rest_pose(rig);
  Bend bend(bend_deg, seed);
  const bool has_parents =
      std::ranges::any_of(rig.nodes, [](const RigNode& node) { return node.parent >= 0; });
  if (has_parents) {
    for (const int joint : rig.joints) {
      const auto at = static_cast<std::size_t>(joint);
      if (std::ranges::find(rig.joints, rig.nodes[at].parent) == rig.joints.end()) continue;
      const TransformParts& rest = rig.nodes[at].rest;
      pose[at] = parts_of(transform_of(rest.translation, rest.rotation, rest.scale) * bend.rotation());
    }
    return pose;
  }
  std::vector<Matrix4> moved(rig.nodes.size());
  for (const Bone& bone : tree_of(rig)) {
    const auto at = static_cast<std::size_t>(bone.node);
    const TransformParts& rest = rig.nodes[at].rest;
    if (bone.parent >= 0)
      moved[at] = moved[static_cast<std::size_t>(bone.parent)] * about(rest.translation, bend.rotation());
    pose[at] = parts_of(moved[at] * transform_of(rest.translation, rest.rotation, rest.scale));
  }
  return pose;
}

RigMoment sampled_moment(const Rig& rig, std::string_view clip, std::uint64_t seed) {
  if (rig.clips.empty()) throw Error("mesh: no clip that a pose could be drawn from");
  UniformNumbers uniform(seed);
  const auto drawn = static_cast<std::size_t>(uniform(0, static_cast<double>(rig.clips.size())));
  const RigClip* chosen = &rig.clips[std::min(drawn, rig.clips.size() - 1)];
  if (!clip.empty()) chosen = &clip_named(rig, clip);
  return {chosen->name, uniform(0, chosen->duration_s())};
}

}  // namespace imatch
