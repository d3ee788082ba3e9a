// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "mesh/gltf_file.h"
#include "mesh/rig.h"

namespace imatch {

/// Nodes, clips and, where the mesh of that number hangs on a node with a skin, joints of a glTF file.
/// Returns the number of the skin, -1 for none. Throws Failure (bad_format): nodes that form a ring, a node
/// of two parents, keys out of order, numbers of keys that do not fit, a skin without joints.
std::int64_t read_rig(const GltfFile& file, std::size_t mesh, Rig& rig);

}  // namespace imatch
