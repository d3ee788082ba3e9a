// SPDX-License-Identifier: Apache-2.0
// OBJ, PLY and .skn. What PLY holds is the same once it was written and read again.
#include "fuzz/target.h"
#include "mesh/mesh_file.h"

using namespace imatch;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text = fuzz::text(data, size);
  fuzz::attempt([&] { check_mesh(parse_obj(text, "input")); });
  fuzz::attempt([&] { check_mesh(parse_skn(fuzz::exact(data, size), "input").mesh); });
  fuzz::attempt([&] {
    const Mesh mesh = parse_ply(text, "input");
    check_mesh(mesh);
    if (parse_ply(ply_bytes(mesh), "written").triangles != mesh.triangles) std::abort();
  });
  return 0;
}
