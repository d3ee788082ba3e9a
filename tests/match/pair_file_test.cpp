// SPDX-License-Identifier: Apache-2.0
#include "match/pair_file.h"

#include "catch.h"

#include "base/error.h"
#include "io/json_file.h"

using namespace imatch;

namespace {

PairFile small_pair() {
  PairFile pair;
  pair.image_a = "a.jpg", pair.image_b = "b.jpg", pair.weight = "vits14";
  pair.meta.image_size = 28;
  pair.cosine = 0.5;
  pair.patch.n_a = 6, pair.patch.n_b = 4;
  pair.patch.grid_g_b = 2;
  pair.patch.idx_a = {5, 0}, pair.patch.idx_b = {3, 1}, pair.patch.similarities = {0.4, 0.9};
  return pair;
}

}  // namespace

TEST_CASE("a pair file keeps its required keys as null and leaves out what is unset beside them",
          "[pair_file]") {
  const Json json = to_json(small_pair());
  std::vector<std::string> keys;
  for (const auto& [key, value] : json.items()) keys.push_back(key);
  CHECK(keys == std::vector<std::string>{"meta", "image_a", "image_b", "weight", "cosine", "time_ms",
                                         "advanced_settings", "patch"});
  CHECK(json["patch"]["grid_g_a"].is_null());
  CHECK(json["patch"]["grid_g_b"] == 2);
  CHECK(!json["patch"].contains("grid_a"));
  CHECK(json["meta"]["ckpt"].is_null());
  CHECK(to_json(parse_pair(json, "x")) == json);
  PairFile empty = small_pair();
  empty.patch.idx_a.clear(), empty.patch.idx_b.clear(), empty.patch.similarities.clear();
  CHECK(to_json(empty)["patch"]["idx_a"].dump() == "[]");
}

TEST_CASE("points follow from the programs' own rule on images that are not square", "[pair_file]") {
  // 90 x 61 px: 41 x 28 px after the resize, 2 x 2 patches of 14 px; a has 2 x 3 of 42 x 28 px.
  const Matches m = matches_of(small_pair(), {60, 40}, {90, 61});
  CHECK((m.rows_a == 2 && m.cols_a == 3 && m.rows_b == 2 && m.cols_b == 2));
  CHECK(m.similarity == std::vector<float>{0.9F, 0.4F});  // in falling similarity
  CHECK(m.idx_a == std::vector<std::int32_t>{0, 5});
  CHECK(m.points_a[0].x == Approx(10));
  CHECK(m.points_a[1].x == Approx(50));
  CHECK(m.points_a[1].y == Approx(30));
  CHECK(m.points_b[0].x == Approx(1.5 * 14 * 90 / 41));
  CHECK(m.points_b[0].y == Approx(0.5 * 14 * 61 / 28));
}

TEST_CASE("points of the file are used, and scaled to a smaller copy", "[pair_file]") {
  PairFile pair = small_pair();
  pair.patch.points_a = {{1, 2}, {3, 4}};
  pair.patch.points_b = {{5, 6}, {7, 8}};
  pair.patch.grid_a = PairGrid{2, 3}, pair.patch.grid_b = PairGrid{2, 2};
  pair.preprocessing =
      PairPreprocessing{.backbone = "x", .stride_px = 14, .image_size_a = {60, 40}, .image_size_b = {80, 80}};
  const Matches m = matches_of(pair, {30, 40}, {80, 80});
  CHECK(m.points_a[0].x == 1.5);
  CHECK(m.points_a[0].y == 4);
  CHECK(m.points_b[1].x == 5);
}

TEST_CASE("a grid that fits nothing is a failure, no matches are none", "[pair_file]") {
  PairFile pair = small_pair();
  pair.patch.n_a = 7;
  CHECK_THROWS_AS(matches_of(pair, {60, 40}, {90, 61}), Failure);
  pair.patch = {};
  CHECK(matches_of(pair, {60, 40}, {90, 61}).size() == 0);
}

TEST_CASE("unknown keys are errors, or stepped over at every level", "[pair_file]") {
  Json json = to_json(small_pair());
  json["patch"]["note"] = 1;
  json["meta"]["note"] = 1;
  json["note"] = 1;
  CHECK_THROWS_WITH(parse_pair(json, "f.json"),
                    Catch::Contains("f.json") && Catch::Contains("unknown key 'note'"));
  CHECK(to_json(parse_pair(json, "f.json", {.ignore_unknown = true})) == to_json(small_pair()));
}

TEST_CASE("anything but a pair file is a failure, never a crash", "[pair_file]") {
  const Json good = to_json(small_pair());
  const Json wrong[] = {nullptr, 1, "x", Json::array(), Json::object(), Json::array({1}), -1, 1e300, true};
  for (const Json& value : wrong) CHECK_THROWS_AS(parse_pair(value, "f"), Failure);
  for (const auto& [key, ignored] : good.items())
    for (const Json& value : wrong) {
      Json changed = good;
      changed[key] = value;
      try {
        matches_of(parse_pair(changed, "f"), {60, 40}, {60, 40});
      } catch (const Failure&) {
      }
    }
  for (const auto& [key, ignored] : good["patch"].items())
    for (const Json& value : wrong) {
      Json changed = good;
      changed["patch"][key] = value;
      try {
        matches_of(parse_pair(changed, "f"), {60, 40}, {60, 40});
      } catch (const Failure&) {
      }
    }
}
