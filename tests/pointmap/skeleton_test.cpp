// SPDX-License-Identifier: Apache-2.0
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>

#include "catch.h"

#include "base/error.h"
#include "pointmap/skeleton.h"

namespace {

using namespace imatch;

at::Tensor rows_of_points(const std::vector<Float3>& points) {
  const at::Tensor rows = at::empty({static_cast<std::int64_t>(points.size()), 3}, at::kFloat);
  float* to = rows.mutable_data_ptr<float>();
  for (const Float3& point : points)
    for (const float value : point) *to++ = value;
  return rows;
}

/// Two boxes of corners side by side, each with a joint in its middle.
RiggedMesh two_boxes() {
  RiggedMesh mesh;
  for (int joint = 0; joint < 2; ++joint) {
    const auto middle = static_cast<float>(2 * joint);
    for (const float x : {-0.5F, 0.5F})
      for (const float y : {-0.4F, 0.4F})
        for (const float z : {-0.3F, 0.3F}) {
          mesh.mesh.positions.push_back({middle + x, y, z});
          mesh.rig.first_influence.push_back(mesh.rig.influences.size());
          mesh.rig.influences.push_back({joint, 1});
        }
    mesh.rig.nodes.emplace_back();
    mesh.rig.joints.push_back(joint);
    mesh.rig.inverse_bind.push_back(transform_of({-middle, 0, 0}, {}));
  }
  mesh.rig.first_influence.push_back(mesh.rig.influences.size());
  return mesh;
}

TEST_CASE("skeleton: joints that moved the mesh are found again") {
  const RiggedMesh mesh = two_boxes();
  const std::vector<Matrix4> joints{transform_of({0.2, 0.1, -3}, {0.8, 0.2, -0.4, 0.3}),
                                    transform_of({2.5, 0.3, -3.4}, {0.5, -0.1, 0.7, 0.2})};
  std::vector<Matrix4> skinning;
  for (std::size_t i = 0; i < 2; ++i) skinning.push_back(joints[i] * mesh.rig.inverse_bind[i]);
  const std::vector<Float3> moved =
      skinned(mesh.mesh.positions, mesh.rig.first_influence, mesh.rig.influences, skinning);
  for (const bool weighted : {false, true}) {
    const SkeletonFit fit = fit_skeleton(mesh, rows_of_points(mesh.mesh.positions), rows_of_points(moved),
                                         {.weighted = weighted});
    CHECK(fit.points == 16);
    CHECK(fit.canonical_error < 1e-5);
    for (std::size_t joint = 0; joint < 2; ++joint) {
      REQUIRE(fit.found[joint]);
      for (std::size_t i = 0; i < 16; ++i)
        CHECK(fit.joints[joint].m[i] == Approx(joints[joint].m[i]).margin(1e-5));
    }
    const RiggedMesh posed = posed_mesh(mesh, fit);
    for (std::size_t i = 0; i < moved.size(); ++i)
      for (std::size_t axis = 0; axis < 3; ++axis)
        CHECK(posed.mesh.positions[i][axis] == Approx(moved[i][axis]).margin(1e-5));
  }
}

TEST_CASE("skeleton: points on a line, or too far away, say nothing of a joint") {
  const RiggedMesh mesh = two_boxes();
  std::vector<Float3> line;
  for (int i = 0; i < 4; ++i) line.push_back({-0.5F, -0.4F, -0.3F + 0.01F * static_cast<float>(i)});
  CHECK_THROWS_WITH(fit_skeleton(mesh, rows_of_points(line), rows_of_points(line), {}),
                    Catch::Contains("no joint has 3 points that do not lie on a line"));
  std::vector<Float3> half(mesh.mesh.positions.begin(), mesh.mesh.positions.begin() + 8);
  const SkeletonFit fit = fit_skeleton(mesh, rows_of_points(half), rows_of_points(half), {});
  CHECK(fit.found == std::vector<bool>{true, false});
  for (Float3& point : half) point[1] += 7;
  CHECK_THROWS_AS(fit_skeleton(mesh, rows_of_points(half), rows_of_points(half), {}), Failure);
}

}  // namespace
