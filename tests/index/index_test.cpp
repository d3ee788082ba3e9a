// SPDX-License-Identifier: Apache-2.0
#include "index/index.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/zeros.h>

#include <filesystem>
#include <set>
#include "catch.h"

#include "base/error.h"
#include "base/file.h"
#include "base/threads.h"
#include "index/exact_index.h"
#include "index/vectors.h"
#include "scratch.h"

namespace imatch {
namespace {

using testing::Scratch;

at::Tensor random_rows(std::int64_t n, std::int64_t dim) {
  return at::rand({n, dim}).sub(0.5);
}

/// Every factory string that stands for another way of searching.
const char* const kFactories[] = {"Flat",      "HNSW16",  "IVF16,Flat",    "IVF16,PQ4x4",
                                  "PQ8x4",     "SQ8",     "PCA16,Flat",    "PCA16,IVF16,Flat",
                                  "IVF16,SQ8", "PQ8x4fs", "IVF16,PQ8x4fs", "HNSW16,SQ8"};

bool same(const Neighbours& a, const Neighbours& b) {
  return at::equal(a.scores, b.scores) && at::equal(a.ids, b.ids);
}

TEST_CASE("a query's result does not depend on the queries asked with it, nor on the threads") {
  const at::Tensor base = unit_rows(random_rows(3000, 32), "base"),
                   queries = unit_rows(random_rows(70, 32), "q");
  for (const char* factory : kFactories)
    for (const char* metric : {"inner_product", "l2"}) {
      INFO(factory << " " << metric);
      Index index(32, {.factory = factory, .metric = metric});
      index.add(base);
      const IndexSearchOptions options{.k = 10};
      const Neighbours all = index.search(queries, options);
      for (std::int64_t q = 0; q < 70; q += 23) {
        const Neighbours one = index.search(queries[q], options);
        CHECK(at::equal(one.ids[0], all.ids[q]));
        CHECK(at::equal(one.scores[0], all.scores[q]));
      }
      const int threads = num_threads();
      set_num_threads(1);
      CHECK(same(index.search(queries, options), all));
      set_num_threads(threads);
    }
}

TEST_CASE("building a graph does not depend on the threads") {
  const at::Tensor base = random_rows(2000, 16), queries = random_rows(20, 16);
  const auto built = [&] {
    Index index(16, {.factory = "HNSW8", .metric = "l2"});
    index.add(base);
    return index.search(queries, {.k = 5});
  };
  const int threads = num_threads();
  const Neighbours with_all = built();
  set_num_threads(1);
  const Neighbours with_one = built();
  set_num_threads(threads);
  CHECK(same(with_all, with_one));
}

TEST_CASE("equal scores stand by id, also across the k-th place") {
  // 40 copies of each of 5 vectors: whatever k, the copies with the smallest ids come first.
  const at::Tensor kinds = unit_rows(random_rows(5, 24), "kinds");
  std::vector<at::Tensor> parts(40, kinds);
  const at::Tensor base = at::cat(parts);
  for (const char* metric : {"inner_product", "l2"}) {
    Index index(24, {.metric = metric});
    index.add(base, at::arange(200, at::kLong).mul(-1).add(199 + 1000));  // falling: 1199 ... 1000
    const ExactIndex exact(base, {.metric = metric});
    for (const std::int64_t k : {1, 7, 39, 40, 55}) {
      INFO(metric << " " << k);
      const Neighbours found = index.search(kinds, {.k = k}), of_exact = exact.search(kinds, k);
      for (std::int64_t q = 0; q < 5; ++q)
        for (std::int64_t i = 0; i < std::min<std::int64_t>(k, 40); ++i) {
          // Vector p has the id 1199 - p; copies of kind q lie at p = q, q + 5, ...
          CHECK(found.ids[q][i].item<std::int64_t>() == 1199 - (q + 5 * (39 - i)));
          CHECK(of_exact.ids[q][i].item<std::int64_t>() == q + 5 * i);
        }
    }
  }
}

TEST_CASE("the exact indexes agree with float64") {
  const at::Tensor base = random_rows(5000, 48), queries = random_rows(40, 48);
  const at::Tensor products = at::mm(queries.to(at::kDouble), base.to(at::kDouble).t());
  for (const char* metric : {"inner_product", "l2"}) {
    const bool highest = std::string(metric) == "inner_product";
    const at::Tensor truth = highest ? products
                                     : base.to(at::kDouble)
                                           .square()
                                           .sum(1)
                                           .unsqueeze(0)
                                           .sub(products, 2)
                                           .add(queries.to(at::kDouble).square().sum(1).unsqueeze(1));
    const auto [scores, ids] = truth.topk(15, 1, highest, true);
    Index index(48, {.metric = metric});
    index.add(base);
    const Neighbours found = index.search(queries, {.k = 15});
    CHECK(at::equal(found.ids, ids));
    CHECK(found.scores.sub(scores).abs().max().item<double>() < 1e-5);
    const Neighbours by_torch = ExactIndex(base, {.metric = metric}).search(queries, 15);
    CHECK(same(by_torch, found));
  }
}

TEST_CASE("fewer neighbours than k") {
  Index index(3, {.metric = "l2"});
  const at::Tensor query = at::ones({1, 3});
  CHECK(index.search(query, {.k = 2}).ids[0][0].item<std::int64_t>() == -1);
  index.add(at::ones({1, 3}));
  for (const Neighbours& found :
       {index.search(query, {.k = 3}), ExactIndex(at::ones({1, 3}), {.metric = "l2"}).search(query, 3)}) {
    CHECK(found.ids[0][0].item<std::int64_t>() == 0);
    CHECK(found.scores[0][0].item<float>() == 0);
    CHECK(found.ids[0][1].item<std::int64_t>() == -1);
    CHECK(found.scores[0][2].item<float>() == std::numeric_limits<float>::infinity());
  }
}

TEST_CASE("adding and removing by id") {
  const at::Tensor base = unit_rows(random_rows(500, 16), "base");
  for (const char* factory : {"Flat", "IVF8,Flat", "SQ8"}) {
    INFO(factory);
    Index index(16, {.factory = factory});
    index.add(base.narrow(0, 0, 400));
    index.add(base.narrow(0, 400, 100), at::arange(1000, 1100, at::kLong));
    CHECK(index.count() == 500);
    index.set_parameters(std::string(factory).substr(0, 3) == "IVF" ? "nprobe=8" : "");
    CHECK(index.search(base[450], {.k = 1}).ids[0][0].item<std::int64_t>() == 1050);
    CHECK(index.remove(at::arange(1050, 1052, at::kLong)) == 2);
    CHECK(index.remove(at::arange(1050, 1052, at::kLong)) == 0);
    CHECK(index.search(base[450], {.k = 1}).ids[0][0].item<std::int64_t>() != 1050);
    CHECK(index.search(base[452], {.k = 1}).ids[0][0].item<std::int64_t>() == 1052);
    CHECK_THROWS_WITH(index.add(base.narrow(0, 0, 1), at::arange(7, 8, at::kLong)),
                      "add: id 7 is in the index already");
    index.add(base.narrow(0, 450, 1));
    CHECK(index.search(base[450], {.k = 1}).ids[0][0].item<std::int64_t>() == 1100);
  }
  Index graph(16, {.factory = "HNSW8"});
  graph.add(base);
  CHECK_THROWS_WITH(graph.remove(at::arange(1, at::kLong)),
                    Catch::Contains("HNSW8") && Catch::Contains("cannot remove"));
}

TEST_CASE("saved and loaded, also memory-mapped") {
  const Scratch scratch;
  const at::Tensor base = unit_rows(random_rows(2000, 32), "base"),
                   queries = unit_rows(random_rows(30, 32), "q");
  for (const char* factory : kFactories) {
    INFO(factory);
    Index index(32, {.factory = factory, .source = {.backbone = "b stage=1", .weights_sha256 = "ab12"}});
    index.add(base, at::arange(5000, 7000, at::kLong));
    const std::string path = scratch / "deep/index.faiss";
    index.save(path);
    const Neighbours before = index.search(queries);
    const Index loaded = Index::load(path);
    CHECK(loaded.factory() == factory);
    CHECK(loaded.source().backbone == "b stage=1");
    CHECK(same(loaded.search(queries), before));
    const std::string name = factory;
    if (name == "Flat" || name.starts_with("IVF")) {
      Index mapped = Index::load(path, {.memory_mapped = true});
      CHECK(same(mapped.search(queries), before));
      CHECK_THROWS_WITH(mapped.add(base), Catch::Contains("memory-mapped"));
    } else if (name.starts_with("HNSW")) {
      CHECK_THROWS_WITH(Index::load(path, {.memory_mapped = true}),
                        Catch::Contains("only a Flat or IVF index"));
    }
  }
}

TEST_CASE("damaged and foreign files are refused by name") {
  const Scratch scratch;
  for (const char* factory : {"Flat", "IVF4,Flat", "HNSW8"}) {
    Index index(8, {.factory = factory, .metric = "l2"});
    index.add(random_rows(300, 8));
    const std::string path = scratch / "x.faiss";
    index.save(path);
    const std::string bytes = read_file(path);
    for (std::size_t size = 0; size < bytes.size(); size += 1 + bytes.size() / 37)
      for (const bool mapped : {false, true}) {
        INFO(factory << " cut to " << size << (mapped ? ", mapped" : ""));
        write_file_atomically(path, std::string_view(bytes).substr(0, size), false);
        CHECK_THROWS_AS(Index::load(path, {.memory_mapped = mapped}), Failure);
        CHECK_THROWS_WITH(Index::load(path, {.memory_mapped = mapped}), Catch::Contains(path));
      }
  }
  write_file_atomically(scratch / "x.faiss", "PK\3\4 something else entirely");
  CHECK_THROWS_AS(Index::load(scratch / "x.faiss"), Failure);
  CHECK_THROWS_AS(Index::load(scratch / "none.faiss"), Failure);
}

TEST_CASE("the description beside an index must agree") {
  const Scratch scratch;
  Index index(8);
  index.add(random_rows(3, 8));
  const std::string path = scratch / "x.faiss";
  index.save(path);
  std::string text = read_file(path + ".json");
  text.replace(text.find("\"count\": 3"), 10, "\"count\": 4");
  write_file_atomically(path + ".json", text);
  CHECK_THROWS_WITH(Index::load(path), path + ".json: count is 4, but the index " + path + " has 3");
  std::filesystem::remove(path + ".json");
  CHECK(Index::load(path).count() == 3);
}

TEST_CASE("a graph of few vectors is refused, and never more are looked for than there are") {
  CHECK_THROWS_WITH(Index(8, {.factory = "NSG4", .metric = "l2"}).add(random_rows(40, 8)),
                    Catch::Contains("add: 'NSG4' is built of more than 384 vectors, got 40"));
  CHECK_THROWS_AS(Index(8, {.factory = "NSG4", .metric = "l2"}).add(random_rows(384, 8)), Error);
  Index index(8, {.factory = "NSG4", .metric = "l2"});
  index.add(random_rows(400, 8));
  const Neighbours found = index.search(random_rows(3, 8), {.k = 430});
  CHECK(found.ids[0][399].item<std::int64_t>() >= 0);
  CHECK(found.ids[2][400].item<std::int64_t>() == -1);
}

TEST_CASE("vectors of another backbone or size, and unusable ones, are refused by name") {
  Index index(8, {.source = {.backbone = "one image_size=64", .weights_sha256 = "aa"}});
  at::Tensor rows = random_rows(5, 8);
  index.add(rows);
  CHECK_THROWS_WITH(index.search(rows, {.source = {.backbone = "two"}}),
                    Catch::Contains("'two'") && Catch::Contains("'one image_size=64'"));
  CHECK_THROWS_WITH(index.search(rows, {.source = {.backbone = "one image_size=64", .weights_sha256 = "bb"}}),
                    Catch::Contains("weights bb") && Catch::Contains("weights aa"));
  CHECK_THROWS_WITH(index.search(random_rows(1, 9)),
                    Catch::Contains("9 dimensions") && Catch::Contains("in the index 8"));
  rows[3].fill_(0);
  CHECK_THROWS_WITH(index.add(rows), "add: row 3 is all zeros, it has no direction");
  rows[2][1].fill_(std::numeric_limits<float>::quiet_NaN());
  CHECK_THROWS_WITH(index.search(rows), "search: row 2 has a value that is NaN or infinite");
  CHECK_THROWS_WITH(Index(8, {.factory = "Falt"}),
                    Catch::Contains("'Falt'") && Catch::Contains("8 dimensions"));
  CHECK_THROWS_WITH(index.set_parameters("nonsense=3"), Catch::Contains("nonsense=3"));
}

}  // namespace
}  // namespace imatch
