// SPDX-License-Identifier: Apache-2.0
#include "index/faiss_search.h"

#include <ATen/Parallel.h>
#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>
#include <faiss/IndexIDMap.h>
#include <faiss/IndexIVF.h>
#include <faiss/IndexIVFFastScan.h>
#include <faiss/IndexNSG.h>
#include <faiss/IndexPreTransform.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "base/error.h"
#include "base/progress.h"
#include "index/flat_search.h"
#include "index/graph_search.h"
#include "index/rank.h"

namespace imatch {
namespace {

constexpr std::int64_t kBlock = 1024;  ///< Queries between two looks at the stop request.

/// FAISS leaves equal scores in accidental order, and its own marks where there is no neighbour.
void put_in_order(Metric metric, std::int64_t num_queries, std::int64_t k, float* scores,
                  std::int64_t* neighbours, const std::int64_t* ids) {
  std::vector<Candidate> found;
  for (std::int64_t q = 0; q < num_queries; ++q) {
    float* row_scores = scores + q * k;
    std::int64_t* row_ids = neighbours + q * k;
    found.clear();
    for (std::int64_t i = 0; i < k; ++i)
      if (row_ids[i] >= 0) found.push_back({row_scores[i], ids ? ids[row_ids[i]] : row_ids[i]});
    write_ranked(metric, found, k, row_scores, row_ids);
  }
}

void search_inverted_lists(const faiss::IndexIVF& index, const float* queries, std::int64_t num_queries,
                           std::int64_t k, float* scores, std::int64_t* neighbours) {
  const auto num_probes = static_cast<std::int64_t>(std::min(index.nprobe, index.nlist));
  std::vector<float> distances(static_cast<std::size_t>(num_queries * num_probes));
  std::vector<std::int64_t> lists(distances.size());
  search_faiss(*index.quantizer, queries, num_queries, num_probes, distances.data(), lists.data());
  faiss::IVFSearchParameters parameters;
  parameters.nprobe = static_cast<std::size_t>(num_probes);
  parameters.max_codes = index.max_codes;
  index.invlists->prefetch_lists(lists.data(), static_cast<int>(lists.size()));
  faiss::IndexIVFStats statistics;
  index.search_preassigned(num_queries, queries, k, lists.data(), distances.data(), scores, neighbours, false,
                           &parameters, &statistics);
}

void search_one_by_one(const faiss::Index& index, const float* queries, std::int64_t num_queries,
                       std::int64_t k, float* scores, std::int64_t* neighbours) {
  at::parallel_for(0, num_queries, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t q = begin; q < end; ++q)
      index.search(1, queries + q * index.d, k, scores + q * k, neighbours + q * k);
  });
}

/// FAISS looks for as many vectors to begin with as are wanted, without end where there are fewer.
void search_nsg(const faiss::IndexNSG& index, const float* queries, std::int64_t num_queries, std::int64_t k,
                float* scores, std::int64_t* neighbours) {
  const std::int64_t there = std::min(k, index.ntotal);
  if (index.nsg.search_L > index.ntotal)
    throw Error(fmt::format("search: NSG's search_L is {}, more than its {} vectors", index.nsg.search_L,
                            index.ntotal));
  std::fill(neighbours, neighbours + num_queries * k, -1);
  at::parallel_for(0, num_queries, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t q = begin; q < end; ++q)
      index.search(1, queries + q * index.d, there, scores + q * k, neighbours + q * k);
  });
}

void search_transformed(const faiss::IndexPreTransform& index, const float* queries, std::int64_t num_queries,
                        std::int64_t k, float* scores, std::int64_t* neighbours) {
  // One by one: a matrix product may round a row differently when it has others beside it.
  std::vector<float> transformed(static_cast<std::size_t>(num_queries * index.index->d));
  for (std::int64_t q = 0; q < num_queries; ++q) {
    const float* query = queries + q * index.d;
    const float* row = index.apply_chain(1, query);
    std::copy_n(row, index.index->d, transformed.data() + q * index.index->d);
    if (row != query) delete[] row;  // apply_chain's contract
  }
  search_faiss(*index.index, transformed.data(), num_queries, k, scores, neighbours);
}

void search_block(const faiss::Index& index, const float* queries, std::int64_t num_queries, std::int64_t k,
                  float* scores, std::int64_t* neighbours, const std::int64_t* ids) {
  if (const auto* map = dynamic_cast<const faiss::IndexIDMap*>(&index))
    return search_block(*map->index, queries, num_queries, k, scores, neighbours, map->id_map.data());
  const Metric metric = metric_of(index);
  if (const auto* flat = dynamic_cast<const faiss::IndexFlat*>(&index)) {
    const FlatVectors base{.bytes = reinterpret_cast<const std::byte*>(flat->codes.data()),
                           .count = flat->ntotal,
                           .dim = flat->d,
                           .ids = ids};
    return flat_search(base, metric, queries, num_queries, k, scores, neighbours);
  }
  const auto* lists = dynamic_cast<const faiss::IndexIVF*>(&index);
  const auto* graph = dynamic_cast<const faiss::IndexHNSW*>(&index);
  if (const auto* transform = dynamic_cast<const faiss::IndexPreTransform*>(&index))
    search_transformed(*transform, queries, num_queries, k, scores, neighbours);
  else if (lists && !dynamic_cast<const faiss::IndexIVFFastScan*>(&index))
    search_inverted_lists(*lists, queries, num_queries, k, scores, neighbours);
  else if (graph && is_plain_graph(*graph))
    graph_search(*graph, metric, queries, num_queries, k, scores, neighbours);
  else if (const auto* nsg = dynamic_cast<const faiss::IndexNSG*>(&index))
    search_nsg(*nsg, queries, num_queries, k, scores, neighbours);
  else if (graph)
    index.search(num_queries, queries, k, scores, neighbours);
  else
    search_one_by_one(index, queries, num_queries, k, scores, neighbours);
  put_in_order(metric, num_queries, k, scores, neighbours, ids);
}

}  // namespace

Metric metric_of(const faiss::Index& index) {
  return index.metric_type == faiss::METRIC_INNER_PRODUCT ? Metric::kInnerProduct : Metric::kL2;
}

void search_faiss(const faiss::Index& index, const float* queries, std::int64_t num_queries, std::int64_t k,
                  float* scores, std::int64_t* neighbours, const std::int64_t* ids) {
  Progress progress("search", "queries", static_cast<std::size_t>(num_queries));
  for (std::int64_t q = 0; q < num_queries; q += kBlock) {
    const std::int64_t some = std::min(kBlock, num_queries - q);
    search_block(index, queries + q * index.d, some, k, scores + q * k, neighbours + q * k, ids);
    progress.advance(static_cast<std::size_t>(some));
  }
}

}  // namespace imatch
