// SPDX-License-Identifier: Apache-2.0
#include "catch.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <algorithm>
#include <limits>
#include <random>

#include "base/error.h"
#include "base/threads.h"
#include "geometry/camera_poses.h"
#include "io/npz.h"
#include "mesh/shapes.h"
#include "raster/mesh_view.h"
#include "raster/sample_file.h"
#include "scratch.h"

using namespace imatch;
using Catch::Matchers::Contains;
using imatch::testing::Scratch;
using imatch::testing::torus;

namespace {

const PinholeCamera kCamera{64, 64, 32, 32, {1, 0, 0, 0, 1, 0, 0, 0, 1}, {}};
using Triangles = std::vector<std::array<std::int32_t, 3>>;

RasterOptions small(int layers = 8) {
  RasterOptions options;
  options.width = options.height = 64;
  options.layers = layers;
  return options;
}

at::Tensor counts(const Fragments& fragments) {
  return fragments.triangle.ge(0).sum(2);
}

std::vector<Vector3> seen(const Mesh& mesh, const PinholeCamera& camera) {
  std::vector<Vector3> list;
  for (const Float3& p : mesh.positions) list.push_back(camera.camera_from_world({p[0], p[1], p[2]}));
  return list;
}

bool same(const Fragments& a, const Fragments& b) {
  return at::equal(a.triangle, b.triangle) && at::equal(a.weights, b.weights) && at::equal(a.depth, b.depth);
}

/// Triangles anywhere, some behind the camera, some around it, some without area.
std::vector<Vector3> soup(int count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> near(-1, 1), far(-0.5, 4);
  std::vector<Vector3> corners;
  for (int i = 0; i < count; ++i) {
    const Vector3 centre{2 * near(random), 2 * near(random), far(random)};
    for (int k = 0; k < 3; ++k) corners.push_back(centre + Vector3{near(random), near(random), near(random)});
    if (i % 17 == 0) corners.back() = corners[corners.size() - 2];
  }
  return corners;
}

Triangles in_threes(std::size_t count) {
  Triangles list;
  for (std::int32_t i = 0; static_cast<std::size_t>(i) < count; ++i)
    list.push_back({3 * i, 3 * i + 1, 3 * i + 2});
  return list;
}

}  // namespace

TEST_CASE("A plane in perspective is met where it is") {
  // z = 3 + x / 2, seen at pixel (u, v): along the ray d of depth 1, z = 3 / (1 - d_x / 2).
  const std::vector<Vector3> plane{{-8, -9, -1}, {9, -9, 7.5}, {9, 20, 7.5}, {-8, 20, -1}};
  const Fragments f = rasterize(plane, {{0, 1, 2}, {0, 2, 3}}, kCamera, small());
  CHECK(counts(f).eq(1).all().item<bool>());  // also the pixels on the diagonal, and those that the cut
                                              // passes by
  const auto* depth = f.depth.const_data_ptr<float>();
  for (int y = 0; y < 64; ++y)
    for (int x = 0; x < 64; ++x)
      REQUIRE(depth[(y * 64 + x) * 8] == Approx(3 / (1 - (x + 0.5 - 32) / 64 / 2)).epsilon(1e-6));
}

TEST_CASE("Edges belong to one triangle: corners on pixel centres, in every order") {
  Mesh fan;  // eight triangles around (32.5, 32.5), whose corners and edges lie on pixel centres
  fan.positions.push_back({0.5F / 64, 0.5F / 64, 1});
  const int around[8][2] = {{8, 0}, {8, 8}, {0, 8}, {-8, 8}, {-8, 0}, {-8, -8}, {0, -8}, {8, -8}};
  for (const auto& [x, y] : around) fan.positions.push_back({(x + 0.5F) / 64, (y + 0.5F) / 64, 1});
  for (std::int32_t i = 0; i < 8; ++i) {
    std::array<std::int32_t, 3> triangle{0, i + 1, (i + 1) % 8 + 1};
    if (i % 3 == 0) std::swap(triangle[1], triangle[2]);  // some face away
    std::rotate(triangle.begin(), triangle.begin() + i % 3, triangle.end());
    fan.triangles.push_back(triangle);
  }
  const Fragments f = rasterize(seen(fan, kCamera), fan.triangles, kCamera, small());
  CHECK(counts(f).max().item<std::int64_t>() == 1);
  CHECK(counts(f).sum().item<std::int64_t>() == 16 * 16);
}

TEST_CASE("A watertight mesh has an even number of surfaces at every pixel") {
  const Mesh mesh = torus(1, 0.4, 40, 24);
  for (const PinholeCamera& camera : camera_ring({.width = 64,
                                     .height = 64,
                                     .focal_mm = 60,
                                     .count = 12,
                                     .elevation_from_deg = -60,
                                     .elevation_to_deg = 80})) {
    const at::Tensor number = counts(rasterize(seen(mesh, camera), mesh.triangles, camera, small()));
    CHECK(number.remainder(2).eq(0).all().item<bool>());
    CHECK(number.max().item<std::int64_t>() >= 2);
  }
  // From the side, two walls of the tube behind each other.
  const PinholeCamera side = look_at({.width = 64, .height = 64, .eye = {0, 0, 4}});
  const Fragments f = rasterize(seen(mesh, side), mesh.triangles, side, small());
  CHECK(counts(f).max().item<std::int64_t>() == 4);
  const at::Tensor steps = f.depth.narrow(2, 1, 3).sub(f.depth.narrow(2, 0, 3));
  CHECK(steps.masked_select(f.triangle.narrow(2, 1, 3).ge(0)).ge(0).all().item<bool>());
}

TEST_CASE("Coincident surfaces count once, front and back of nothing stay two") {
  const std::vector<Vector3> corners{{-1, -1, 2}, {1, -1, 2}, {0, 1, 2}};
  const Fragments one = rasterize(corners, {{0, 1, 2}, {1, 2, 0}, {0, 1, 2}}, kCamera, small());
  CHECK(counts(one).max().item<std::int64_t>() == 1);
  CHECK(one.triangle.max().item<int>() == 0);
  CHECK(counts(rasterize(corners, {{0, 1, 2}, {1, 0, 2}}, kCamera, small())).max().item<std::int64_t>() == 2);
}

TEST_CASE("What cannot be seen is left out") {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<Vector3> corners{{-1, -1, 2}, {1, -1, 2}, {0, 1, 2},   {kNan, 0, 2},
                                     {0, 0, -3},  {1, 1, -3}, {-1, 1, -3}, {0, 0, 2}};
  const Fragments f =
      rasterize(corners, {{0, 1, 3}, {4, 5, 6}, {0, 0, 1}, {0, 7, 7}, {4, 3, 4}}, kCamera, small());
  CHECK(counts(f).sum().item<std::int64_t>() == 0);
  CHECK(f.not_finite == 2);
  RasterOptions shallow = small();
  shallow.far_z = 1.5;
  CHECK(counts(rasterize(corners, {{0, 1, 2}}, kCamera, shallow)).sum().item<std::int64_t>() == 0);
  shallow.near_z = 3;
  CHECK_THROWS_WITH(rasterize(corners, {{0, 1, 2}}, kCamera, shallow),
                    Contains("near_z 3 is not below far_z 1.5"));
}

TEST_CASE("The camera may stand inside of the mesh") {
  const Mesh mesh = torus(2, 1.5, 30, 30);  // seen from inside of the tube: one wall all around
  const PinholeCamera inside =
      look_at({.width = 64, .height = 64, .focal_mm = 20, .eye = {2, 0, 0}, .target = {2, 0.3, 1}});
  const at::Tensor number = counts(rasterize(seen(mesh, inside), mesh.triangles, inside, small()));
  CHECK(number.remainder(2).eq(1).all().item<bool>());
}

TEST_CASE("LibTorch's operators give the same to the last bit, whatever the number of threads") {
  const int threads = num_threads();
  for (const int layers : {1, 3, 8}) {
    const std::vector<Vector3> corners = soup(400, static_cast<std::uint64_t>(layers));
    const Triangles triangles = in_threes(400);
    set_num_threads(1);
    const Fragments alone = rasterize(corners, triangles, kCamera, small(layers));
    set_num_threads(2);
    CHECK(same(alone, rasterize(corners, triangles, kCamera, small(layers))));
    CHECK(same(alone, rasterize_by_torch(corners, triangles, kCamera, small(layers), "cpu")));
    CHECK(counts(alone).max().item<std::int64_t>() == layers);
  }
  set_num_threads(threads);
}

TEST_CASE("A camera of DualPM sees a point where its code does") {
  const Matrix4 pose{
      {1, 0, 0, 0, 0, 0, -1, -5, 0, 1, 0, 0, 0, 0, 0, 1}};  // z-up world, at (0, -5, 0), looking along +y
  const PinholeCamera camera = camera_of_opengl(pose, "z", {160, 160, 50});
  const auto pixel = camera.project({0.5, 1, 0.25});
  REQUIRE(pixel);
  CHECK(pixel->x == Approx(103.392).margin(5e-4));
  CHECK(pixel->y == Approx(33.216).margin(5e-4));
  auto mesh = std::make_shared<RiggedMesh>();
  mesh->mesh.positions = {{0.4F, 0.9F, 0.25F}, {0.7F, 0.9F, 0.25F}, {0.5F, 1.3F, 0.25F}};
  mesh->mesh.triangles = {{0, 1, 2}};
  const MeshView view = view_of(mesh, mesh->mesh.positions, camera, {});
  const at::Tensor points = point_layers(view, "opengl");
  const at::Tensor at_pixel = points.select(0, 33).select(0, 103).select(0, 0);
  const auto* p = at_pixel.const_data_ptr<float>();
  CHECK(p[6] == 1);
  for (int k = 0; k < 3; ++k)
    CHECK(p[3 + k] == Approx(p[k]).margin(1e-5));  // the camera's axes are the world's, its depth taken away
  CHECK(p[3] == Approx(0.5).margin(0.02));
  CHECK(p[4] == Approx(1).margin(0.02));
  CHECK(p[5] == Approx(0.25).margin(1e-5));
}

TEST_CASE("Samples go through their file") {
  const Scratch scratch;
  auto mesh = std::make_shared<RiggedMesh>();
  mesh->mesh = torus(1, 0.4, 20, 12);
  for (const int size : {64, 300}) {
    MeshViewOptions options;
    options.width = options.height = size;
    const MeshView view = view_of(mesh, mesh->mesh.positions,
                                  look_at({.width = size, .height = size, .eye = {0, 1, 4}}), options);
    const at::Tensor points = point_layers(view, "opengl");
    const SampleFile sample = sparse_sample(points);
    CHECK(sample.indices.scalar_type() == (size < 255 ? at::kByte : at::kUInt16));
    CHECK(sample.indices.size(0) == layer_counts(view).sum().item<std::int64_t>());
    write_sample(scratch / "a.npz", sample);
    CHECK(at::equal(dense_sample(read_sample(scratch / "a.npz")), points));
  }
  StateDict arrays;
  arrays.add("values", at::ones({1, 7}));
  arrays.add("indices", at::full({1, 3}, 5, at::kByte));
  CHECK_THROWS_WITH(sample_of(arrays, "input"), Contains("without its 'shape'"));
  CHECK_THROWS_WITH(sample_of(arrays, "input", {6, 5, 6, 7}),
                    Contains("index 5 of row 0 is outside of the shape 6x5x6x7"));
  CHECK(sample_of(arrays, "input", {6, 6, 6, 7}).shape[0] == 6);
}
