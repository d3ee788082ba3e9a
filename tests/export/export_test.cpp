// SPDX-License-Identifier: Apache-2.0
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/ones.h>
#include <hdf5.h>
#include <sqlite3.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include "catch.h"

#include "base/error.h"
#include "export/colmap_database.h"
#include "export/hloc_files.h"
#include "scratch.h"

namespace imatch {
namespace {

using testing::Scratch;

/// 2 x 3 tokens of 10 px; token t has the vector (t, t + 0.5).
Features six_tokens() {
  Features f;
  f.rows = 2, f.cols = 3;
  f.image_width = 30, f.image_height = 20;
  f.original_from_grid = {{10, 0, 0, 0, 10, 0}};
  f.tokens = at::arange(6).to(at::kFloat).unsqueeze(1) + at::arange(2).to(at::kFloat) * 0.5;
  f.global = at::ones({4}) * 3;
  return f;
}

/// a's tokens 0, 1, 5 with b's 5, 4, 0: half a turn.
Matches half_turn() {
  const Features f = six_tokens();
  Matches m;
  m.idx_a = {0, 1, 5}, m.idx_b = {5, 4, 0};
  m.similarity = {0.75F, 0.5F, 0.25F};
  for (std::size_t k = 0; k < 3; ++k) {
    m.points_a.push_back(f.point(m.idx_a[k]));
    m.points_b.push_back(f.point(m.idx_b[k]));
  }
  m.width_a = m.width_b = 30, m.height_a = m.height_b = 20;
  return m;
}

/// b_from_a of it, with the last match no inlier.
Geometry half_turn_geometry() {
  Geometry g;
  g.b_from_a = Homography{{-1, 0, 30, 0, -1, 20, 0, 0, 1}};
  g.inliers = {1, 1, 0};
  g.num_inliers = 2;
  return g;
}

/// Images "b.jpg" and "in/a.jpg"; the pair is a to b, so that the database has it the other way round.
ExportSet two_images() {
  ExportSet set;
  set.add_image("b.jpg", six_tokens());
  set.add_image("in/a.jpg", six_tokens());
  const Geometry geometry = half_turn_geometry();
  REQUIRE(set.add_pair("in/a.jpg", "b.jpg", half_turn(), &geometry));
  return set;
}

// ---- Reading HDF5 with its own library
// ---------------------------------------------------------------------------------

std::vector<double> dataset(const std::string& path, const std::string& name, std::vector<hsize_t> shape) {
  const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  REQUIRE(file >= 0);
  const hid_t data = H5Dopen2(file, name.c_str(), H5P_DEFAULT);
  REQUIRE(data >= 0);
  const hid_t space = H5Dget_space(data);
  std::vector<hsize_t> sizes(static_cast<std::size_t>(H5Sget_simple_extent_ndims(space)));
  H5Sget_simple_extent_dims(space, sizes.data(), nullptr);
  CHECK(sizes == shape);
  hsize_t count = 1;
  for (const hsize_t size : sizes) count *= size;
  std::vector<double> values(count);
  REQUIRE(H5Dread(data, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) >= 0);
  H5Sclose(space), H5Dclose(data), H5Fclose(file);
  return values;
}

std::size_t bytes_a_number(const std::string& path, const std::string& name) {
  const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  const hid_t data = H5Dopen2(file, name.c_str(), H5P_DEFAULT), type = H5Dget_type(data);
  const std::size_t size = H5Tget_size(type);
  H5Tclose(type), H5Dclose(data), H5Fclose(file);
  return size;
}

TEST_CASE("hloc: keypoints from the pixel's centre, descriptors in columns, matches by keypoint of a") {
  const Scratch scratch;
  write_hloc(two_images(), scratch / "out");
  const std::string features = scratch / "out/features.h5", matches = scratch / "out/matches.h5";
  const auto keypoints = dataset(features, "in/a.jpg/keypoints", {6, 2});
  CHECK(std::vector<double>(keypoints.begin(), keypoints.begin() + 4) ==
        std::vector<double>{4.5, 4.5, 14.5, 4.5});
  CHECK(dataset(features, "b.jpg/image_size", {2}) == std::vector<double>{30, 20});
  CHECK(dataset(features, "b.jpg/descriptors", {2, 6}) ==
        std::vector<double>{0, 1, 2, 3, 4, 5, 0.5, 1.5, 2.5, 3.5, 4.5, 5.5});
  CHECK(dataset(matches, "in-a.jpg/b.jpg/matches0", {6}) == std::vector<double>{5, 4, -1, -1, -1, 0});
  CHECK(dataset(matches, "in-a.jpg/b.jpg/matching_scores0", {6}) ==
        std::vector<double>{0.75, 0.5, 0, 0, 0, 0.25});
  CHECK(dataset(scratch / "out/global.h5", "b.jpg/global_descriptor", {4}) == std::vector<double>(4, 3));
  CHECK(bytes_a_number(features, "b.jpg/descriptors") == 2);
  std::ifstream list(scratch / "out/pairs.txt");
  std::string line;
  std::getline(list, line);
  CHECK(line == "in/a.jpg b.jpg");

  write_hloc(two_images(), scratch / "full", {.half = false});
  CHECK(bytes_a_number(scratch / "full/features.h5", "b.jpg/descriptors") == 4);
}

TEST_CASE("hloc: of several matches of one keypoint the most similar; no descriptors where there are none") {
  const Scratch scratch;
  ExportSet set;
  set.add_image("a.jpg", 30, 20);
  set.add_image("b.jpg", 30, 20);
  Matches m = half_turn();
  m.idx_a[2] = m.idx_a[0];
  m.points_a[2] = m.points_a[0];
  set.add_pair("a.jpg", "b.jpg", m);
  write_hloc(set, scratch.path());
  CHECK(dataset(scratch / "matches.h5", "a.jpg/b.jpg/matches0", {2}) == std::vector<double>{0, 1});
  CHECK(dataset(scratch / "features.h5", "b.jpg/keypoints", {3, 2}).size() == 6);
  CHECK_FALSE(std::filesystem::exists(scratch / "global.h5"));
}

// ---- Reading COLMAP's database with SQLite
// -----------------------------------------------------------------------------

using Row = std::vector<std::string>;  ///< Blobs as their bytes.

std::vector<Row> query(const std::string& path, const std::string& sql) {
  sqlite3* opened = nullptr;
  REQUIRE(sqlite3_open_v2(path.c_str(), &opened, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK);
  const std::unique_ptr<sqlite3, int (*)(sqlite3*)> connection(opened, sqlite3_close);
  sqlite3_stmt* prepared = nullptr;
  REQUIRE(sqlite3_prepare_v2(opened, sql.c_str(), -1, &prepared, nullptr) == SQLITE_OK);
  const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement(prepared, sqlite3_finalize);
  std::vector<Row> rows;
  while (sqlite3_step(prepared) == SQLITE_ROW) {
    Row row;
    for (int k = 0; k < sqlite3_column_count(prepared); ++k) {
      const auto* bytes = static_cast<const char*>(sqlite3_column_blob(prepared, k));
      row.emplace_back(bytes ? bytes : "", static_cast<std::size_t>(sqlite3_column_bytes(prepared, k)));
    }
    rows.push_back(row);
  }
  return rows;
}

template <class T>
std::vector<T> numbers(const std::string& blob) {
  REQUIRE(blob.size() % sizeof(T) == 0);
  std::vector<T> values(blob.size() / sizeof(T));
  std::memcpy(values.data(), blob.data(), blob.size());
  return values;
}

TEST_CASE("COLMAP: a camera an image, keypoints from the corner, pairs with the smaller id first") {
  const Scratch scratch;
  const std::string path = scratch / "sfm/database.db";
  write_colmap(two_images(), path);
  CHECK(query(path, "SELECT image_id, name, camera_id FROM images ORDER BY image_id") ==
        std::vector<Row>{{"1", "b.jpg", "1"}, {"2", "in/a.jpg", "2"}});
  const auto cameras = query(path, "SELECT model, width, height, params FROM cameras");
  REQUIRE(cameras.size() == 2);
  CHECK(cameras[0][0] == "2");  // SIMPLE_RADIAL
  CHECK(cameras[0][1] == "30");
  CHECK(numbers<double>(cameras[0][3]) == std::vector<double>{36, 15, 10, 0});

  const auto keypoints = query(path, "SELECT rows, cols, data FROM keypoints WHERE image_id = 2");
  REQUIRE(keypoints.size() == 1);
  CHECK(keypoints[0][0] == "6");
  CHECK(keypoints[0][1] == "2");
  const auto points = numbers<float>(keypoints[0][2]);
  CHECK(std::vector<float>(points.begin(), points.begin() + 4) == std::vector<float>{5, 5, 15, 5});

  const auto matches = query(path, "SELECT pair_id, rows, data FROM matches");
  REQUIRE(matches.size() == 1);
  CHECK(matches[0][0] == std::to_string(2147483647LL * 1 + 2));
  CHECK(numbers<std::uint32_t>(matches[0][2]) == std::vector<std::uint32_t>{5, 0, 4, 1, 0, 5});

  const auto geometry = query(path, "SELECT config, rows, data, H FROM two_view_geometries");
  REQUIRE(geometry.size() == 1);
  CHECK(geometry[0][0] == "6");  // PLANAR_OR_PANORAMIC
  CHECK(numbers<std::uint32_t>(geometry[0][2]) == std::vector<std::uint32_t>{5, 0, 4, 1});
  // From the image of the smaller id, b, to a: half a turn is its own inverse.
  const std::vector<double> h = numbers<double>(geometry[0][3]), expected{-1, 0, 30, 0, -1, 20, 0, 0, 1};
  REQUIRE(h.size() == 9);
  for (std::size_t k = 0; k < 9; ++k) CHECK(h[k] / h[8] == Approx(expected[k]).margin(1e-12));
}

TEST_CASE("COLMAP: one camera for all images of a size, and a file that was there is replaced") {
  const Scratch scratch;
  const std::string path = scratch / "database.db";
  std::ofstream(path) << "old";
  ExportSet set = two_images();
  set.add_image("wide.jpg", 60, 20);
  write_colmap(set, path, {.single_camera = true, .focal_factor = 2});
  CHECK(query(path, "SELECT camera_id FROM images ORDER BY image_id") ==
        std::vector<Row>{{"1"}, {"1"}, {"2"}});
  const auto cameras = query(path, "SELECT params FROM cameras ORDER BY camera_id");
  CHECK(numbers<double>(cameras[1][0]) == std::vector<double>{120, 30, 10, 0});
  CHECK(std::distance(std::filesystem::directory_iterator(scratch.path()), {}) == 1);  // nothing temporary
}

TEST_CASE("a pair is taken once, and what does not belong together is refused") {
  ExportSet set = two_images();
  CHECK_FALSE(set.add_pair("b.jpg", "in/a.jpg", half_turn()));
  CHECK(set.pairs().size() == 1);
  CHECK_THROWS_AS(set.add_image("b.jpg", 30, 20), Error);
  CHECK_THROWS_AS(set.add_image("", 30, 20), Error);
  CHECK_THROWS_AS(set.add_pair("b.jpg", "nobody.jpg", half_turn()), Error);
  CHECK_THROWS_AS(set.add_pair("b.jpg", "b.jpg", half_turn()), Error);
  set.add_image("c.jpg", six_tokens());
  Matches between = half_turn();
  between.points_a[0].x += 1;  // no token's place
  CHECK_THROWS_AS(set.add_pair("c.jpg", "b.jpg", between), Error);
}

TEST_CASE("a place that cannot be written is an expected failure") {
  CHECK_THROWS_AS(write_hloc(two_images(), "/dev/null/x"), Failure);
  CHECK_THROWS_AS(write_colmap(two_images(), "/dev/null/x.db"), Failure);
}

}  // namespace
}  // namespace imatch
