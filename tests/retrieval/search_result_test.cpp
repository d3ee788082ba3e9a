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
  SearchSettings search{.weight = "w", .mode = "sub2", .direction = "reference2db", .k = 2, .search_ms = 1.5};
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
             {"topk",
              {{{"rank", 1},
                {"score", 0.25},
                {"vector", "vectors/r0.npy"},
                {"meta", "vectors/r0_meta.json"},
                {"image", "map/0.jpg"}}}},
             {"timing_ms", {{"embed", nullptr}, {"search", 1.5}, {"total", 1.5}}}});
}

TEST_CASE("results are read back from a file for each query") {
  const Scratch scratch;
  const TwoQueries t;
  write_results(scratch / "out", t.search, t.queries, t.base, t.found, true);
  const std::vector<std::string> paths{scratch / "out/q0_reference2db_top2.json",
                                       scratch / "out/q1_reference2db_top2.json"};
  check_results(read_results(paths));
  const Json row = read_json(scratch / "out/q0_reference2db_top2_redis.json");
  CHECK(row["results"][1]["path"] == "vectors/r1.npy");
  CHECK(row["results"][1]["filename"] == "r1.npy");
  write_results(scratch / "plain", t.search, t.queries, t.base, t.found, false);
  CHECK(std::distance(std::filesystem::directory_iterator(scratch / "plain"), {}) == 2);
}

TEST_CASE("results are read back from one file for all queries") {
  const Scratch scratch;
  const TwoQueries t;
  write_aggregate(scratch / "all.json", t.search, t.queries, t.base, t.found);
  check_results(read_results({scratch / "all.json"}));
  CHECK(read_json(scratch / "all.json")["results"][0]["topk"][0]["rank"] == 1);  // by another reader
  write_file_atomically(scratch / "marked.json", "\xEF\xBB\xBF" + read_file(scratch / "all.json"));
  check_results(read_results({scratch / "marked.json"}));
}

TEST_CASE("damaged result files are left out by name, and none of what stood before the damage is kept") {
  const Scratch scratch;
  const TwoQueries t;
  write_aggregate(scratch / "all.json", t.search, t.queries, t.base, t.found);
  const std::string text = read_file(scratch / "all.json");
  write_file_atomically(scratch / "cut.json", text.substr(0, text.size() - 20));
  write_file_atomically(scratch / "other.json", R"({"type": "FeatureCollection"})");
  write_file_atomically(scratch / "list.json", "[1, 2]");
  const SearchResults results =
      read_results({scratch / "all.json", scratch / "cut.json", scratch / "other.json", scratch / "list.json",
                    scratch / "absent.json"});
  CHECK(results.queries.size() == 2);
  REQUIRE(results.skipped.size() == 4);
  CHECK(results.skipped[0].path == scratch / "cut.json");
  CHECK(results.skipped[1].reason.find("'search' is missing") != std::string::npos);
  CHECK(results.skipped[2].reason.find("not a search result") != std::string::npos);
  CHECK_THROWS_WITH(read_results({scratch / "other.json"}), Catch::Contains("other.json"));
  CHECK(read_results({}).queries.empty());
}

}  // namespace
}  // namespace imatch
