// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <tuple>
#include <vector>

#include "base/field.h"
#include "geometry/matrix4.h"
#include "mesh/rig.h"

namespace imatch {

struct SkeletonOptions {
  double reach = 0.5;
  double least_weight = 0.5;
  bool weighted = false;
  double scale = 1;

  using Self = SkeletonOptions;
  static constexpr auto fields = std::tuple{
      field("reach", &Self::reach, at_least(0),
            "A point whose nearest vertex at rest is farther away is left out."),
      field("least_weight", &Self::least_weight, in_range(0, 1),
            "A point counts for a joint that has more than this weight in its vertex."),
      field("weighted", &Self::weighted, anything(),
            "Weigh points by that weight and take all with any; false: the published rule, where "
            "all count the same."),
      field("scale", &Self::scale, in_range(0, 1e9),
            "Factor of the mesh in the data that was trained on; 0: so that the largest side of its "
            "box at rest is 1, as rasterising does unless told otherwise.")};
};

/// The pose of a skeleton that explains predicted points.
struct SkeletonFit {
  std::vector<Matrix4>
      joints;               ///< Camera from joint, in units of the mesh; the identity where none was found.
  std::vector<bool> found;  ///< At least 3 points that do not lie on a line.
  double scale = 1;         ///< From units of the mesh to those of the points.
  /// Mean distance of points, taken back to rest, from where they were predicted, in their units.
  double canonical_error = 0;
  std::size_t points = 0;  ///< That lay near a vertex.
};

/// For each joint the rotation and shift that takes the vertices nearest to the canonical points, in the
/// joint's frame, to the posed points (Kabsch 1976). canonical and posed [N, 3]. Throws Error for a mesh
/// without joints and other shapes, Failure (no_result) when no joint is found.
SkeletonFit fit_skeleton(const RiggedMesh& mesh, const at::Tensor& canonical, const at::Tensor& posed,
                         const SkeletonOptions& options);

/// The mesh in that pose, in units of the points, without its skeleton; vertices follow the joints that were
/// found, and stay at rest where none of theirs was.
RiggedMesh posed_mesh(const RiggedMesh& mesh, const SkeletonFit& fit);

}  // namespace imatch
