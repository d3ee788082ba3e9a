// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/options.h"
#include "index/neighbours.h"
#include "retrieval/retrieved_query.h"
#include "retrieval/vector_files.h"

namespace imatch {

/// One search of many vectors, as its result files say.
struct SearchSettings {
  std::string weight;     ///< Alias.
  std::string mode;       ///< Variant: "raw", "sub2".
  std::string direction;  ///< "reference2db", "db2reference", "reference2reference", "db2db".
  std::string backend = "faiss";
  std::string metric = "inner_product";
  std::int64_t k = 10;
  double index_build_ms = 0;
  double search_ms = 0;  ///< Of one query.
  static constexpr auto fields = std::tuple{
      field("weight", &SearchSettings::weight, anything(), "Alias of the weights."),
      field("mode", &SearchSettings::mode, anything(), "'raw' or 'sub<stride>'."),
      field("direction", &SearchSettings::direction, anything(),
            "'reference2db', 'db2reference', 'reference2reference' or 'db2db'."),
      field("backend", &SearchSettings::backend, anything(), "'faiss' or 'exact'."),
      field("metric", &SearchSettings::metric, anything(), "Of the index."),
      field("k", &SearchSettings::k, at_least(1), "Neighbours a query."),
      field("index_build_ms", &SearchSettings::index_build_ms, at_least(0),
            "Time to build or load the index."),
      field("search_ms", &SearchSettings::search_ms, at_least(0), "Time of one query in the search.")};
};

/// The result of query `q`: {weight, mode, direction, k, index_count, search_count, search{vector, meta,
/// image}, topk[]{rank, score, vector, meta, image}, timing_ms{embed, search, total}}. meta and image are
/// null where they are not known.
Json result_json(const SearchSettings& search, const VectorSet& queries, const VectorSet& base,
                 const Neighbours& found, std::int64_t q);

/// The row that is pushed to Redis: {encoder, backend, dim, metric, topk, timing_ms, results[]{rank, path,
/// filename, score}, index_build_ms}.
Json redis_row(const SearchSettings& search, const VectorSet& queries, const VectorSet& base,
               const Neighbours& found, std::int64_t q);

/// Writes <folder>/<vector file without .npy>_<direction>_top<k>.json for each query, and ..._redis.json
/// beside it when `with_redis`. Throws Failure (unwritable, no_space).
void write_results(const std::string& folder, const SearchSettings& search, const VectorSet& queries,
                   const VectorSet& base, const Neighbours& found, bool with_redis);

/// Writes all queries into one file: the common keys once, and `results`, a list of {search, topk,
/// timing_ms}.
void write_aggregate(const std::string& path, const SearchSettings& search, const VectorSet& queries,
                     const VectorSet& base, const Neighbours& found);

/// Results read back: queries whose answers are numbers of `references`.
struct SearchResults {
  std::vector<RetrievedQuery> queries;  ///< Without true positions; the name is the image, else the vector.
  std::vector<std::string> references;  ///< Named likewise.
  std::vector<SkippedFile> skipped;     ///< Files that are damaged.
  std::string weight, mode, direction;  ///< Of the first.
};

/// Reads result files of either kind. Throws Failure when none of them can be read.
SearchResults read_results(const std::vector<std::string>& paths);

}  // namespace imatch
