// SPDX-License-Identifier: Apache-2.0
#include "catch.h"

#include "base/error.h"
#include "base/file.h"
#include "mesh/gltf_file.h"
#include "mesh/mesh_file.h"
#include "mesh/shapes.h"
#include "scratch.h"

using namespace imatch;
using Catch::Matchers::Contains;
using imatch::testing::bar;
using imatch::testing::Scratch;

namespace {

RiggedMesh parsed_gltf(const std::string& json, const MeshReadOptions& options = {}) {
  return parse_gltf(GltfFile(own_bytes(json), "input"), options);
}

/// One triangle; `more` goes into the top object, `attributes` beside POSITION.
std::string triangle_gltf(const std::string& more = "", const std::string& attributes = "",
                          const std::string& indices = "") {
  return R"({"asset": {"version": "2.0"}, "buffers": [{"byteLength": 36, "uri": "data:;base64,)"
         "AAAAAAAAAAAAAAAAAACAPwAAAAAAAAAAAAAAAAAAgD8AAAAA"
         R"("}], "bufferViews": [{"buffer": 0, "byteLength": 36}],
         "accessors": [{"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3"}], )" +
         more + R"("meshes": [{"name": "one", "primitives": [{"attributes": {"POSITION": 0)" + attributes +
         "}" + indices + "}]}]}";
}

}  // namespace

TEST_CASE("PLY keeps what it is given") {
  Mesh mesh = imatch::testing::torus(1, 0.3, 7, 5);
  mesh.normals = vertex_normals(mesh.positions, mesh.triangles);
  for (std::size_t i = 0; i < mesh.positions.size(); ++i)
    mesh.colours.push_back({static_cast<std::uint8_t>(i), 7, 255});
  mesh.scalars.emplace_back("confidence", std::vector<float>(mesh.positions.size(), 1.25F));
  for (const bool ascii : {false, true}) {
    const Mesh back = parse_ply(ply_bytes(mesh, {ascii}), "input");
    CHECK((back.positions == mesh.positions));
    CHECK((back.triangles == mesh.triangles));
    CHECK((back.normals == mesh.normals));
    CHECK((back.colours == mesh.colours));
    CHECK((back.scalars == mesh.scalars));
  }
  std::string big =
      "ply\nformat binary_big_endian 1.0\nelement vertex 1\nproperty float x\nproperty short y\nproperty "
      "uchar z\nend_header\n";
  big += std::string("\x3f\x80\x00\x00\xff\xfe\x07", 7);
  CHECK((parse_ply(big, "input").positions == std::vector<Float3>{{1, -2, 7}}));
  CHECK_THROWS_WITH(parse_ply(big.substr(0, big.size() - 1), "input"), Contains("truncated"));
  CHECK_THROWS_WITH(
      parse_ply(
          "ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nproperty float y\nproperty float z\n"
          "element face 1\nproperty list uchar int vertex_indices\nend_header\n0 0 0\n3 0 0 1\n",
          "input"),
      Contains("names vertex 1 of 1"));
}

TEST_CASE("OBJ: fans, indices from the end, colours") {
  const Mesh mesh = parse_obj(
      "# a comment\nv 0 0 0 1 0 0\nv 1 0 0 0 1 0\nv 1 1 0 0 0 1\nv 0 1 0 1 1 1\nvn 0 0 1\nf -4/1/1 2//1 3 "
      "\\\n 4\n",
      "input");
  CHECK((mesh.triangles == std::vector<std::array<std::int32_t, 3>>{{0, 1, 2}, {0, 2, 3}}));
  CHECK((mesh.colours[2] == std::array<std::uint8_t, 3>{0, 0, 255}));
  CHECK_THROWS_WITH(parse_obj("v 0 0 0\nf 1 1 2\n", "input"), Contains("line 2: a face names vertex 2 of 1"));
  CHECK_THROWS_AS(parse_obj("v 0 0\n", "input"), Failure);
  CHECK_THROWS_WITH(parse_obj("nothing\n", "input"), Contains("no vertices"));
}

TEST_CASE("A rigged mesh goes through GLB and comes back") {
  const Scratch scratch;
  const RiggedMesh mesh = bar();
  write_glb(scratch / "bar.glb", mesh);
  const RiggedMesh back = read_mesh(scratch / "bar.glb");
  CHECK((back.mesh.positions == mesh.mesh.positions));
  CHECK((back.mesh.triangles == mesh.mesh.triangles));
  REQUIRE((back.rig.joints == mesh.rig.joints));
  for (const double time : {0.0, 0.3, 0.5, 1.0, 1.7, 9.0}) {
    const auto expected = posed_positions(mesh, pose_at(mesh.rig, "bend", time)),
               got = posed_positions(back, pose_at(back.rig, "bend", time));
    for (std::size_t i = 0; i < expected.size(); ++i)
      for (std::size_t k = 0; k < 3; ++k) REQUIRE(got[i][k] == Approx(expected[i][k]).margin(2e-6));
  }
  CHECK_THROWS_WITH(pose_at(mesh.rig, "run", 0), Contains("'bend'"));
}

TEST_CASE("Clips: linear along the arc, steps, splines, and no further than their keys") {
  const Rig rig = bar().rig;
  const auto at = [&](double time) { return pose_at(rig, "bend", time); };
  CHECK(at(1)[1].rotation.z == Approx(std::sqrt(0.5)));  // half of 180 degrees
  CHECK(at(0.5)[1].rotation.z == Approx(std::sin(std::numbers::pi / 8)));
  CHECK(at(-1)[1].rotation.w == Approx(1));
  CHECK(at(5)[1].rotation.z == Approx(1).margin(1e-12));
  CHECK(at(0.999)[2].translation.y == 0);
  CHECK(at(1)[2].translation.y == 2);
  // Hermite: 0.5 (1 + 2) + 0.125 * 1 - 0.125 * -1.
  CHECK(at(0.5)[0].scale.x == Approx(1.75));
}

TEST_CASE("The rest pose leaves a skinned mesh where it is, and stiff meshes move with their node") {
  const RiggedMesh mesh = bar();
  const auto rest = posed_positions(mesh, rest_pose(mesh.rig));
  for (std::size_t i = 0; i < rest.size(); ++i)
    for (std::size_t k = 0; k < 3; ++k) REQUIRE(rest[i][k] == Approx(mesh.mesh.positions[i][k]).margin(1e-5));
  const RiggedMesh stiff = parsed_gltf(triangle_gltf(
      R"("nodes": [{"mesh": 0, "scale": [2, 2, 2]}, {"children": [0], "translation": [0, 0, 5]}], )"));
  CHECK(
      (posed_positions(stiff, rest_pose(stiff.rig)) == std::vector<Float3>{{0, 0, 5}, {2, 0, 5}, {0, 2, 5}}));
}

TEST_CASE("What is wrong with a glTF file is said") {
  CHECK(parsed_gltf(triangle_gltf()).mesh.triangles.size() == 1);
  const auto refused = [](const std::string& json, const std::string& why,
                          const MeshReadOptions& options = {}) {
    CHECK_THROWS_WITH(parsed_gltf(json, options), Contains(why));
    CHECK_THROWS_AS(parsed_gltf(json, options), Failure);
  };
  refused(triangle_gltf(R"("nodes": [{"children": [1]}, {"children": [0]}], )"), "its own ancestor");
  refused(triangle_gltf(R"("nodes": [{"children": [2]}, {"children": [2]}, {}], )"), "two parents");
  refused(triangle_gltf(R"("nodes": [{"mesh": 0, "skin": 0}], "skins": [{"joints": []}], )"), "no joints");
  refused(triangle_gltf(R"("nodes": [{"mesh": 0, "skin": 0}], "skins": [{"joints": [0]}], )"),
          "name no joints");
  refused(triangle_gltf("", "", R"(, "indices": 0)"), "of type 'VEC3'");
  refused(triangle_gltf("", R"(, "NORMAL": 7)"), "accessors 7 is named");
  refused(triangle_gltf(R"("extensionsRequired": ["KHR_draco_mesh_compression"], )"),
          "KHR_draco_mesh_compression");
  refused(R"({"asset": {"version": "1.0"}})", "version 1.0");
  refused(R"({"asset": {"version": "2.0"}})", "no mesh with triangles");
  refused(R"({"asset": {"version": "2.0"}, "meshes": [{"primitives": [{"attributes": {"POSITION": "x"}}]}]})",
          "accessors \"x\"");
  const std::string two =
      R"({"asset": {"version": "2.0"}, "buffers": [{"byteLength": 4, "uri": "../secret"}], "bufferViews": [{"buffer": 0, "byteLength": 4}],
    "accessors": [{"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3"}],
    "meshes": [{"name": "a", "primitives": [{"attributes": {"POSITION": 0}}]}, {"name": "b", "primitives": [{"attributes": {"POSITION": 0}}]}]})";
  refused(two, "2 meshes: 0 'a', 1 'b'");
  refused(two, "0 meshes of the name 'c'", {.mesh = "c"});
  refused(two, "names another file", {.mesh = "b"});
  const Scratch scratch;
  write_file_atomically(scratch / "two.gltf", two);
  CHECK_THROWS_WITH(read_mesh(scratch / "two.gltf", {.mesh = "b"}), Contains("in its folder or below"));
  write_file_atomically(scratch / "cut.glb", glb_bytes(bar()).substr(0, 500));
  CHECK_THROWS_WITH(read_mesh(scratch / "cut.glb"), Contains("truncated"));
  CHECK_THROWS_WITH(read_mesh(scratch / "none.glb"), Contains("no such file"));
}

TEST_CASE("Weights that do not add up to one are refused, or divided by their sum") {
  RiggedMesh mesh = bar();
  for (Influence& influence : mesh.rig.influences) influence.weight *= 2;
  const GltfFile file(own_bytes(glb_bytes(mesh)), "input");
  CHECK_THROWS_WITH(parse_gltf(file), Contains("weights of vertex 0 add up to 2;"));
  const RiggedMesh divided = parse_gltf(file, {.mesh = "", .normalize_weights = true});
  float sum = 0;
  for (std::size_t k = 0; k < divided.rig.first_influence[1]; ++k) sum += divided.rig.influences[k].weight;
  CHECK(sum == Approx(1));
}
