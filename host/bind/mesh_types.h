// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bind/types.h"
#include "mesh/rig.h"

namespace imatch::host {

template <>
inline constexpr const char* type_name<RiggedMesh> = "Mesh";
template <>
inline std::size_t native_bytes(const RiggedMesh& mesh) {
  return mesh.mesh.positions.size() * 2 * sizeof(Float3) +
         mesh.mesh.triangles.size() * 3 * sizeof(std::int32_t) +
         mesh.rig.influences.size() * sizeof(Influence);
}

}  // namespace imatch::host
