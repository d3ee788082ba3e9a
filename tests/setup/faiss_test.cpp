// SPDX-License-Identifier: Apache-2.0
//
// What setup has built: that FAISS answers rightly, and what the process has loaded once it is linked.
#include <ATen/core/Tensor.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/topk.h>
#include <dlfcn.h>
#include <faiss/IndexFlat.h>
#include <faiss/index_factory.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <vector>
#include "catch.h"

namespace {

TEST_CASE("FAISS's exact search gives what LibTorch's gives") {
  constexpr int kDim = 48, kCount = 2000, kQueries = 37, kNeighbours = 5;
  const at::Tensor base = at::randn({kCount, kDim}), queries = at::randn({kQueries, kDim});
  const auto [scores, ids] = at::topk(queries.matmul(base.t()), kNeighbours, 1);
  faiss::IndexFlatIP index(kDim);
  index.add(kCount, base.data_ptr<float>());
  std::vector<float> got_scores(kQueries * kNeighbours);
  std::vector<faiss::Index::idx_t> got_ids(kQueries * kNeighbours);
  index.search(kQueries, queries.data_ptr<float>(), kNeighbours, got_scores.data(), got_ids.data());
  for (int i = 0; i < kQueries * kNeighbours; ++i) {
    CHECK(got_scores[i] == Approx(scores.data_ptr<float>()[i]).epsilon(1e-4));
    CHECK(got_ids[i] == ids.data_ptr<std::int64_t>()[i]);
  }
}

TEST_CASE("FAISS trains what needs matrix factorisation and clustering") {
  constexpr int kDim = 32, kCount = 2000;
  const at::Tensor base = at::randn({kCount, kDim});
  for (const char* kind : {"PCA16,Flat", "IVF8,PQ4x4", "HNSW16"}) {
    INFO(kind);
    const std::unique_ptr<faiss::Index> index(faiss::index_factory(kDim, kind));
    index->train(kCount, base.data_ptr<float>());
    index->add(kCount, base.data_ptr<float>());
    CHECK(index->ntotal == kCount);
    faiss::Index::idx_t nearest = -1;
    float distance = -1;
    index->search(1, base.data_ptr<float>(), 1, &distance, &nearest);
    CHECK(nearest >= 0);
    CHECK(nearest < kCount);
  }
}

TEST_CASE("the process has one OpenMP runtime, and matrix products go to LibTorch's library") {
  std::set<std::string> runtimes;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);)
    for (const char* name : {"/libgomp", "/libomp", "/libiomp"})
      if (line.find(name) != std::string::npos) runtimes.insert(line.substr(line.find('/')));
  INFO(Catch::Detail::stringify(runtimes));
  CHECK(runtimes.size() == 1);
  Dl_info info;
  REQUIRE(::dladdr(::dlsym(RTLD_DEFAULT, "sgemm_"), &info) != 0);
  CHECK(std::filesystem::path(info.dli_fname).filename() == "libtorch_cpu.so");
}

}  // namespace
