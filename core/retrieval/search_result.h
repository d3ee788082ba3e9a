// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/options.h"
#include "index/neighbours.h"
#include "retrieval/retrieved_query.h"
#include "retrieval/vector_files.h"

namespace imatch {

/// One search of the global vectors of one archive among those of another.
struct SearchSettings {
  std::string weight;             ///< Alias.
  std::string mode;               ///< Variant: "raw", "sub2".
  std::string direction;          ///< A key of kDirections.
  std::string index_root;         ///< Folder of the vectors searched among.
  std::string search_root;        ///< Folder of those searched for.
  std::string backend = "faiss";  ///< "faiss" or "exact".
  std::string device = "cpu";
  std::string metric = "inner_product";
  std::int64_t k = 10;
  double index_build_ms = 0;
  double search_ms = 0;  ///< Of one query: the mean.
  static constexpr auto fields = std::tuple{
      field("weight", &SearchSettings::weight, anything(), "Alias of the weights."),
      field("mode", &SearchSettings::mode, anything(), "'raw' or 'sub<stride>'."),
      field("direction", &SearchSettings::direction, anything(),
            "'reference2db', 'db2reference', 'reference2reference' or 'db2db'."),
      field("index_root", &SearchSettings::index_root, anything(), "Folder of the vectors searched among."),
      field("search_root", &SearchSettings::search_root, anything(), "Folder of the vectors searched for."),
      field("backend", &SearchSettings::backend, anything(), "'faiss' or 'exact'."),
      field("device", &SearchSettings::device, anything(), "'cpu' or a GPU's name."),
      field("metric", &SearchSettings::metric, anything(), "Of the index."),
      field("k", &SearchSettings::k, at_least(1), "Neighbours a query."),
      field("index_build_ms", &SearchSettings::index_build_ms, at_least(0),
            "Time to build or load the index."),
      field("search_ms", &SearchSettings::search_ms, at_least(0), "Time of one query in the search.")};
};

/// What a direction is called: what searches among what.
struct SearchDirection {
  std::string_view key;     ///< In files: "reference2db".
  std::string_view option;  ///< On the command line and in names of aggregates: "reference-data".
  std::string_view search;  ///< Role of the queries, "reference" or "data".
  std::string_view index;   ///< Role of what is searched.
};
inline constexpr SearchDirection kSearchDirections[] = {
    {"reference2db", "reference-data", "reference", "data"},
    {"db2reference", "data-reference", "data", "reference"},
    {"reference2reference", "reference-reference", "reference", "reference"},
    {"db2db", "data-data", "data", "data"}};

/// Throws Error for a key that is none.
const SearchDirection& search_direction(std::string_view key);

/// min(k, number of vectors searched among): what files and their names say.
std::int64_t neighbours_of(const SearchSettings& search, const VectorSet& base);

/// A query's file: {weight, mode, direction, k, index_count, search_count, search{vector, meta, image},
/// hits[]{rank, score, vector, meta, image}, timing_ms{search, index_load{find, load, normalize, total},
/// search_load{...}, embed, total}}.
Json result_json(const SearchSettings& search, const VectorSet& queries, const VectorSet& base,
                 const Neighbours& found, std::int64_t q);

/// A query's row for Redis: {encoder, backend, dim, metric, topk, timing_ms{embed, search, total},
/// results[]{rank, path (of the vector), filename (of the image, else of the vector), score},
/// index_build_ms}.
Json redis_row(const SearchSettings& search, const VectorSet& queries, const VectorSet& base,
               const Neighbours& found, std::int64_t q);

/// Writes a file for each query, <out>/<weight>_<mode>/<vector file>_top<k>.json, and when `with_redis` its
/// row, <out>/<weight>_<mode>_<direction>/<vector file>_<direction>_top<k>_redis.json. Throws Failure
/// (unwritable, no_space).
void write_results(const std::string& out, const SearchSettings& search, const VectorSet& queries,
                   const VectorSet& base, const Neighbours& found, bool with_redis);

/// Writes all queries into one file, <out>/<weight>_<mode>_<direction option>_top<k>.json: {weight, mode,
/// direction, k, index{role, root, count}, search{role, root, count}, timing_ms{index_load, search_load,
/// index_build, total_search, avg_search}, results[]{search, hits, timing_ms}}. Returns its path.
std::string write_aggregate(const std::string& out, const SearchSettings& search, const VectorSet& queries,
                            const VectorSet& base, const Neighbours& found);

/// Results read back: queries whose answers are numbers of `references`.
struct SearchResults {
  std::vector<RetrievedQuery> queries;  ///< Without true positions; the name is the image, else the vector.
  std::vector<std::string> references;  ///< Named likewise.
  std::vector<SkippedFile> skipped;     ///< Files that are damaged, of another direction, or there twice.
  std::string group;                    ///< Folder of the first; of an aggregate its name without _top<k>.
  std::string weight, mode, direction;  ///< Of the first.
};

/// Reads result files of each kind: queries with their hits (`hits`, or `topk` of older files), aggregates,
/// and rows for Redis, whose query is the image that the file's name tells of. Files of another direction
/// than `direction` ("" : than the first that names one) are skipped, and a query that was read already, as
/// with another k. Throws Failure when none of them can be read.
SearchResults read_results(const std::vector<std::string>& paths, const std::string& direction = "");

}  // namespace imatch
