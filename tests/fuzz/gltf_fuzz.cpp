// SPDX-License-Identifier: Apache-2.0
// glTF and GLB: what is read names nothing outside, can be posed, and is read again once it is written.
#include "fuzz/target.h"
#include "mesh/gltf_file.h"
#include "mesh/mesh_file.h"

using namespace imatch;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteRange bytes = fuzz::exact(data, size);
  fuzz::attempt([&] {
    const RiggedMesh mesh = parse_gltf(GltfFile(bytes, "input"));
    check_mesh(mesh.mesh);
    for (const RigClip& clip : mesh.rig.clips)
      if (posed_positions(mesh, pose_at(mesh.rig, clip.name, 0.5)).size() != mesh.mesh.positions.size())
        std::abort();
    posed_positions(mesh, rest_pose(mesh.rig));
  });
  return 0;
}
