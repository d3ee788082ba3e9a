// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <numbers>

#include "mesh/rig.h"

namespace imatch::testing {

/// A closed torus around the y axis, of rings x sides quads.
inline Mesh torus(double radius, double tube, int rings, int sides) {
  Mesh mesh;
  for (int i = 0; i < rings; ++i)
    for (int j = 0; j < sides; ++j) {
      const double u = 2 * std::numbers::pi * i / rings, v = 2 * std::numbers::pi * j / sides;
      const double out = radius + tube * std::cos(v);
      mesh.positions.push_back({static_cast<float>(out * std::cos(u)), static_cast<float>(tube * std::sin(v)),
                                static_cast<float>(out * std::sin(u))});
      const auto at = [&](int a, int b) { return (a % rings) * sides + b % sides; };
      mesh.triangles.push_back({at(i, j), at(i, j + 1), at(i + 1, j + 1)});
      mesh.triangles.push_back({at(i, j), at(i + 1, j + 1), at(i + 1, j)});
    }
  return mesh;
}

/// A bar along x of three joints in a row, each vertex moved by all of them, with a clip that bends it.
inline RiggedMesh bar() {
  RiggedMesh result;
  result.mesh = torus(1, 0.25, 12, 6);
  Rig& rig = result.rig;
  for (int j = 0; j < 3; ++j) {
    rig.nodes.push_back(
        {"joint" + std::to_string(j), j - 1, {{j == 0 ? -1.0 : 1.0, 0, 0}, {0.9, 0, 0, 0.1 * j}, {1, 1, 1}}});
    rig.joints.push_back(j);
  }
  rig.nodes.push_back({"bar", -1, {}});
  rig.mesh_node = 3;
  for (const Matrix4& world : world_from_nodes(rig, rest_pose(rig))) {
    if (rig.inverse_bind.size() == 3) break;
    rig.inverse_bind.push_back(*inverse(world));
  }
  rig.first_influence.push_back(0);
  for (const Float3& p : result.mesh.positions) {
    const float share = 0.2F + 0.25F * (p[0] + 1.25F) / 2.5F;
    rig.influences.insert(rig.influences.end(),
                          {{0, share}, {1, 0.3F}, {2, 0.1F}, {0, 0.05F}, {1, 0.55F - share}});
    rig.first_influence.push_back(rig.influences.size());
  }
  RigClip clip{"bend", {}};
  clip.channels.push_back(
      {1, RigChannel::Path::kRotation, RigChannel::Interpolation::kLinear, {0, 2}, {0, 0, 0, 1, 0, 0, 1, 0}});
  clip.channels.push_back(
      {2, RigChannel::Path::kTranslation, RigChannel::Interpolation::kStep, {0, 1}, {1, 0, 0, 1, 2, 0}});
  clip.channels.push_back({0,
                           RigChannel::Path::kScale,
                           RigChannel::Interpolation::kCubicSpline,
                           {0, 1},
                           {0, 0, 0, 1, 1, 1, 1, 0, 0, -1, 0, 0, 2, 1, 1, 0, 0, 0}});
  rig.clips.push_back(std::move(clip));
  return result;
}

}  // namespace imatch::testing
