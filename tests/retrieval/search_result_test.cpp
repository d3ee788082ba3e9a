// SPDX-License-Identifier: Apache-2.0
#include "retrieval/search_result.h"

#include <ATen/ops/tensor.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include "catch.h"

#include "base/error.h"
#include "base/file.h"
#include "io/json_file.h"
#include "retrieval/image_name.h"
#include "scratch.h"

namespace imatch {
namespace {

using testing::Scratch;

VectorSet vectors_named(const std::string& prefix, std::vector<std::string> images) {
  VectorSet set;
  set.vectors =
      at::tensor({1.f, 0.f}).view({1, 2}).expand({static_cast<std::int64_t>(images.size()), 2}).contiguous();
  for (std::size_t i = 0; i < images.size(); ++i) {
    set.paths.push_back("vectors/" + prefix + std::to_string(i) + ".npy");
    set.metas.push_back(i == 0 ? "vectors/" + prefix + "0_meta.json" : "");
    set.embed_ms.push_back(i == 0 ? 4.5 : std::numeric_limits<double>::quiet_NaN());
  }
  set.images = std::move(images);
  return set;
}

/// Two queries among three references; the second query has one neighbour only.
struct TwoQueries {
  VectorSet queries = vectors_named("q", {"photos/\"a\".jpg", ""});
  VectorSet base = vectors_named("r", {"map/0.jpg", "", "map/2.jpg"});
  Neighbours found{at::tensor({0.875f, 0.5f, 0.25f, -std::numeric_limits<float>::infinity()}).view({2, 2}),
                   at::tensor(std::vector<std::int64_t>{2, 1, 0, -1}).view({2, 2})};
  SearchSettings search;
  TwoQueries() {
    base.times = {1, 2, 0.5};
    search.weight = "w";
    search.mode = "sub2";
    search.direction = "reference2db";
    search.k = 2;
    search.search_ms = 1.5;
  }
};

void check_results(const SearchResults& results) {
  CHECK(results.skipped.empty());
  CHECK((results.weight == "w" && results.mode == "sub2" && results.direction == "reference2db"));
  REQUIRE(results.queries.size() == 2);
  const RetrievedQuery &first = results.queries[0], &second = results.queries[1];
  CHECK(first.name == "photos/\"a\".jpg");
  REQUIRE(first.references.size() == 2);
  CHECK(results.references.at(first.references[0]) == "map/2.jpg");
  CHECK(results.references.at(first.references[1]) == "vectors/r1.npy");
  CHECK(first.scores == std::vector<double>{0.875, 0.5});
  CHECK((first.embed_ms == 4.5 && first.search_ms == 1.5 && first.total_ms == 6));
  CHECK(second.name == "vectors/q1.npy");
  REQUIRE(second.references.size() == 1);
  CHECK(results.references.at(second.references[0]) == "map/0.jpg");
  CHECK(std::isnan(second.embed_ms));
  CHECK(second.total_ms == 1.5);
}

TEST_CASE("a result has the documented keys, null where nothing is known") {
  const TwoQueries t;
  CHECK(result_json(t.search, t.queries, t.base, t.found, 1) ==
        Json{{"weight", "w"},
             {"mode", "sub2"},
             {"direction", "reference2db"},
             {"k", 2},
             {"index_count", 3},
             {"search_count", 2},
             {"search", {{"vector", "vectors/q1.npy"}, {"meta", nullptr}, {"image", nullptr}}},
             {"hits",
              {{{"rank", 1},
                {"score", 0.25},
                {"vector", "vectors/r0.npy"},
                {"meta", "vectors/r0_meta.json"},
                {"image", "map/0.jpg"}}}},
             {"timing_ms",
              {{"embed", nullptr},
               {"search", 1.5},
               {"total", 1.5},
               {"index_load", {{"find", 1.0}, {"load", 2.0}, {"normalize", 0.5}, {"total", 3.5}}},
               {"search_load", {{"find", 0.0}, {"load", 0.0}, {"normalize", 0.0}, {"total", 0.0}}}}}});
}

TEST_CASE("results are read back from a file for each query") {
  const Scratch scratch;
  const TwoQueries t;
  write_results(scratch / "out", t.search, t.queries, t.base, t.found, true);
  check_results(read_results({scratch / "out/w_sub2/q0_top2.json", scratch / "out/w_sub2/q1_top2.json"}));
  const Json row = read_json(scratch / "out/w_sub2_reference2db/q0_reference2db_top2_redis.json");
  CHECK(row["results"][1]["path"] == "vectors/r1.npy");
  CHECK(row["results"][1]["filename"] == "r1.npy");
  CHECK((row["backend"] == "faiss-cpu" && row["metric"] == "ip" && row["topk"] == 2));
  write_results(scratch / "plain", t.search, t.queries, t.base, t.found, false);
  CHECK(std::distance(std::filesystem::directory_iterator(scratch / "plain"), {}) == 1);
}

TEST_CASE("no more neighbours are promised than there are vectors") {
  TwoQueries t;
  t.search.k = 10;
  CHECK(result_json(t.search, t.queries, t.base, t.found, 0)["k"] == 3);
}

TEST_CASE("results are read back from one file for all queries") {
  const Scratch scratch;
  const TwoQueries t;
  const std::string path = write_aggregate(scratch / "out", t.search, t.queries, t.base, t.found);
  CHECK(path == scratch / "out/w_sub2_reference-data_top2.json");
  check_results(read_results({path}));
  const Json json = read_json(path);  // by another reader
  CHECK(json["results"][0]["hits"][0]["rank"] == 1);
  CHECK((json["index"]["role"] == "data" && json["index"]["count"] == 3));
  CHECK((json["search"]["role"] == "reference" && json["timing_ms"]["total_search"] == 3));
  write_file_atomically(scratch / "marked.json", "\xEF\xBB\xBF" + read_file(path));
  check_results(read_results({scratch / "marked.json"}));
}

TEST_CASE("files of before, whose list is `topk`, and rows for Redis are read") {
  const Scratch scratch;
  write_file_atomically(scratch / "old.json",
                        R"({"weight": "w", "search": {"vector": "v.npy", "image": "a.jpg"},
    "topk": [{"rank": 1, "score": 0.5, "vector": "b.npy", "meta": null, "image": "b.jpg"}],
    "timing_ms": {"embed": 2, "search": 1, "total": 3}})");
  write_file_atomically(
      scratch / "GlobalToken_res1024_raw_dinov3_vits16_LVD_251124_0007_reference2db_top1_redis.json",
      R"({"encoder": "vits16", "backend": "faiss-cpu", "dim": 384, "metric": "ip", "topk": 1,
    "timing_ms": {"embed": 13.5, "search": 1.5, "total": 15.0},
    "results": [{"rank": 1, "path": "/x/v.npy", "filename": "251210_00050.jpg", "score": 0.75}],
    "index_build_ms": 3.0})");
  const SearchResults results = read_results(
      {scratch / "old.json",
       scratch / "GlobalToken_res1024_raw_dinov3_vits16_LVD_251124_0007_reference2db_top1_redis.json"});
  REQUIRE(results.queries.size() == 2);
  CHECK(results.queries[0].name == "a.jpg");
  CHECK(results.queries[1].name == "251124_00007.jpg");
  CHECK((results.references == std::vector<std::string>{"b.jpg", "251210_00050.jpg"}));
  CHECK(results.queries[1].scores == std::vector<double>{0.75});
  CHECK((results.queries[1].embed_ms == 13.5 && results.queries[1].index_build_ms == 3));
}

TEST_CASE("files of another direction, and queries read before, are left out by name") {
  const Scratch scratch;
  TwoQueries t;
  write_results(scratch / "out", t.search, t.queries, t.base, t.found, true);
  const std::string first = scratch / "out/w_sub2/q0_top2.json",
                    other = scratch / "other/w_sub2/q1_top2.json";
  t.search.direction = "db2db";
  write_results(scratch / "other", t.search, t.queries, t.base, t.found, true);
  const SearchResults results = read_results({first, other, first});
  CHECK(results.group == "w_sub2");
  CHECK(results.queries.size() == 1);
  CHECK(results.references.size() == 2);  // none that the other alone has
  REQUIRE(results.skipped.size() == 2);
  CHECK(results.skipped[0].path == other);
  CHECK_THAT(results.skipped[0].reason, Catch::Contains("its direction is db2db"));
  CHECK_THAT(results.skipped[1].reason, Catch::Contains("1 of its queries"));
  CHECK(read_results({first, other}, "db2db").queries.at(0).name == "vectors/q1.npy");
  const SearchResults row =
      read_results({scratch / "other/w_sub2_db2db/q0_db2db_top2_redis.json", first}, "db2db");
  CHECK((row.queries.size() == 1 && row.direction == "db2db" && row.group == "w_sub2_db2db"));
  CHECK((row.queries[0].k == 2 && row.queries[0].file.ends_with("q0_db2db_top2_redis.json")));
}

TEST_CASE("the name of a vector tells of its image") {
  CHECK(image_in_vector_name("GlobalToken_res1024_raw_dinov3_vits16_LVD_251124_0001") == "251124_00001.jpg");
  CHECK(image_in_vector_name("ReferenceGlobal_x_SAT_250912_300_80_5_045_0012") ==
        "250912_300_80_5_045_00012.jpg");
  CHECK(image_in_vector_name("GlobalToken_x_LVD_251124_0001_rot045_crop50") == "251124_00001.jpg");
  CHECK(image_in_vector_name("GlobalToken_x_LVD_251124_0001_of_another") == "251124_00001.jpg");
  CHECK(image_in_vector_name("GlobalToken_x_LVD_251124_123456") == "251124_123456.jpg");
  for (const char* name : {"GlobalToken_x_LVD_251124", "GlobalToken_x_LVD_a_b", "251124_0001", "x_LVD_", ""})
    CHECK(image_in_vector_name(name).empty());
}

TEST_CASE("damaged result files are left out by name, and none of what stood before the damage is kept") {
  const Scratch scratch;
  const TwoQueries t;
  const std::string whole = write_aggregate(scratch / "out", t.search, t.queries, t.base, t.found);
  const std::string text = read_file(whole);
  write_file_atomically(scratch / "cut.json", text.substr(0, text.size() - 20));
  write_file_atomically(scratch / "other.json", R"({"type": "FeatureCollection"})");
  write_file_atomically(scratch / "list.json", "[1, 2]");
  const SearchResults results = read_results(
      {whole, scratch / "cut.json", scratch / "other.json", scratch / "list.json", scratch / "absent.json"});
  CHECK(results.queries.size() == 2);
  REQUIRE(results.skipped.size() == 4);
  CHECK(results.skipped[0].path == scratch / "cut.json");
  CHECK(results.skipped[1].reason.find("'search' is missing") != std::string::npos);
  CHECK(results.skipped[2].reason.find("not a search result") != std::string::npos);
  CHECK(results.skipped[3].reason == "no such file");  // the path stands beside it
  CHECK_THROWS_WITH(read_results({scratch / "other.json"}), Catch::Contains("other.json"));
  CHECK(read_results({}).queries.empty());
}

}  // namespace
}  // namespace imatch
