// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <string_view>
#include <vector>

#include "geometry/matrix4.h"
#include "mesh/mesh.h"

namespace imatch {

/// A place in the hierarchy of a file: parent from node is translation * rotation * scale.
struct RigNode {
  std::string name;
  int parent = -1;  ///< Index of another node, -1 for none. The hierarchy has no cycles.
  TransformParts rest;
};

/// How one property of one node changes with time: keys in ascending order.
struct RigChannel {
  enum class Path { kTranslation, kRotation, kScale };
  enum class Interpolation { kLinear, kStep, kCubicSpline };
  int node = 0;
  Path path = Path::kTranslation;
  Interpolation interpolation = Interpolation::kLinear;
  std::vector<float> times_s;
  /// Three numbers a key, four (x y z w) for a rotation; for a cubic spline in-tangent, value and
  /// out-tangent.
  std::vector<float> values;
};

struct RigClip {
  std::string name;
  std::vector<RigChannel> channels;
  double duration_s() const;
};

/// What a joint has to say in a vertex.
struct Influence {
  std::int32_t joint = 0;  ///< Index into Rig::joints.
  float weight = 0;
};

/// The skeleton of a mesh. Without joints the mesh hangs on one node, stiff.
struct Rig {
  std::vector<RigNode> nodes;
  int mesh_node = -1;                 ///< The node that the mesh hangs on; -1: the origin.
  std::vector<int> joints;            ///< Nodes.
  std::vector<Matrix4> inverse_bind;  ///< One a joint: joint from mesh at rest.
  /// Influences of vertex i are influences[first_influence[i]] ... [first_influence[i + 1] - 1].
  std::vector<std::size_t> first_influence;
  std::vector<Influence> influences;
  std::vector<RigClip> clips;
};

/// A mesh with what moves it.
struct RiggedMesh {
  Mesh mesh;
  Rig rig;
};

/// Local transforms of the nodes, in their order.
using RigPose = std::vector<TransformParts>;

RigPose rest_pose(const Rig& rig);

/// Throws Error for no such clip (the names are listed).
const RigClip& clip_named(const Rig& rig, std::string_view name);

/// The pose of a clip at a time; before its first key and behind its last one a property stays as it is
/// there. Interpolation as glTF 2.0, appendix C. Throws Error as clip_named.
RigPose pose_at(const Rig& rig, std::string_view clip, double time_s);

/// The pose of a file of poses: a row w x y z tx ty tz a node (N×7), local transforms without scale. Throws
/// Failure (bad_format; `name` begins the message) for another shape or number of rows and numbers that are
/// not finite.
RigPose pose_of_rows(const Rig& rig, const at::Tensor& rows, const std::string& name);

/// World from node.
std::vector<Matrix4> world_from_nodes(const Rig& rig, const RigPose& pose);

/// World from mesh at rest, one a joint: what skinning blends.
std::vector<Matrix4> joint_matrices(const Rig& rig, const RigPose& pose);

/// The vertices under these maps, one a joint: sum of weight * matrix * position, in float64, then rounded
/// (glTF 2.0, 3.7.3). `first` and `influences` as in Rig. Uses all threads.
std::vector<Float3> skinned(const std::vector<Float3>& positions, const std::vector<std::size_t>& first,
                            const std::vector<Influence>& influences, const std::vector<Matrix4>& matrices);

/// The vertices in the pose, in the world: skinned, or moved with the node that the mesh hangs on.
std::vector<Float3> posed_positions(const RiggedMesh& mesh, const RigPose& pose);

}  // namespace imatch
