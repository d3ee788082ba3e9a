// SPDX-License-Identifier: Apache-2.0
#include "retrieval/search_result.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "base/progress.h"
#include "io/json_file.h"

namespace imatch {
namespace {

std::string file_name_of(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

Json or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

Json place(const VectorSet& set, std::int64_t i) {
  return {{"vector", set.paths[i]}, {"meta", or_null(set.metas[i])}, {"image", or_null(set.images[i])}};
}

Json load_times(const VectorTimes& times) {
  return {
      {"find", times.find}, {"load", times.load}, {"normalize", times.normalize}, {"total", times.total()}};
}

Json query_times(const SearchSettings& search, const VectorSet& queries, std::int64_t q) {
  const double embed = queries.embed_ms[q];
  const bool known = !std::isnan(embed);
  return {{"embed", known ? Json(embed) : Json(nullptr)},
          {"search", search.search_ms},
          {"total", (known ? embed : 0) + search.search_ms}};
}

template <class Visit>
void for_each_hit(const Neighbours& found, std::int64_t q, Visit visit) {
  const std::int64_t k = found.ids.size(1);
  const std::int64_t* ids = found.ids.const_data_ptr<std::int64_t>() + q * k;
  const float* scores = found.scores.const_data_ptr<float>() + q * k;
  for (std::int64_t i = 0; i < k && ids[i] >= 0; ++i) visit(i + 1, ids[i], static_cast<double>(scores[i]));
}

Json hits(const VectorSet& base, const Neighbours& found, std::int64_t q) {
  Json list = Json::array();
  for_each_hit(found, q, [&](std::int64_t rank, std::int64_t id, double score) {
    Json hit{{"rank", rank}, {"score", score}};
    hit.update(place(base, id));
    list.push_back(std::move(hit));
  });
  return list;
}

Json head(const SearchSettings& search, const VectorSet& base) {
  return {{"weight", search.weight},
          {"mode", search.mode},
          {"direction", search.direction},
          {"k", neighbours_of(search, base)}};
}

std::string backend_name(const SearchSettings& search) {
  return fmt::format("{}-{}", search.backend, search.device == "cpu" ? "cpu" : "gpu");
}

}  // namespace

const SearchDirection& search_direction(std::string_view key) {
  const auto found = std::ranges::find(kSearchDirections, key, &SearchDirection::key);
  if (found == std::end(kSearchDirections)) {
    std::vector<std::string_view> keys;
    for (const SearchDirection& direction : kSearchDirections) keys.push_back(direction.key);
    throw Error(fmt::format("direction: '{}' is not allowed; expected '{}'", key, fmt::join(keys, "', '")));
  }
  return *found;
}

std::int64_t neighbours_of(const SearchSettings& search, const VectorSet& base) {
  return std::min(search.k, static_cast<std::int64_t>(base.paths.size()));
}

Json result_json(const SearchSettings& search, const VectorSet& queries, const VectorSet& base,
                 const Neighbours& found, std::int64_t q) {
  Json json = head(search, base);
  json["index_count"] = base.paths.size();
  json["search_count"] = queries.paths.size();
  json["search"] = place(queries, q);
  json["hits"] = hits(base, found, q);
  json["timing_ms"] = query_times(search, queries, q);
  json["timing_ms"]["index_load"] = load_times(base.times);
  json["timing_ms"]["search_load"] = load_times(queries.times);
  return json;
}

Json redis_row(const SearchSettings& search, const VectorSet& queries, const VectorSet& base,
               const Neighbours& found, std::int64_t q) {
  Json results = Json::array();
  for_each_hit(found, q, [&](std::int64_t rank, std::int64_t id, double score) {
    const std::string& named_by = base.images[id].empty() ? base.paths[id] : base.images[id];
    results.push_back(
        {{"rank", rank}, {"path", base.paths[id]}, {"filename", file_name_of(named_by)}, {"score", score}});
  });
  return {{"encoder", search.weight},
          {"backend", backend_name(search)},
          {"dim", queries.vectors.size(1)},
          {"metric", search.metric == "inner_product" ? "ip" : search.metric},
          {"topk", neighbours_of(search, base)},
          {"timing_ms", query_times(search, queries, q)},
          {"results", std::move(results)},
          {"index_build_ms", search.index_build_ms}};
}

void write_results(const std::string& out, const SearchSettings& search, const VectorSet& queries,
                   const VectorSet& base, const Neighbours& found, bool with_redis) {
  const std::string folder = fmt::format("{}/{}_{}", out, search.weight, search.mode);
  const std::string rows = fmt::format("{}_{}", folder, search_direction(search.direction).key);
  const std::int64_t k = neighbours_of(search, base);
  make_folder(folder);
  if (with_redis) make_folder(rows);
  Progress progress("write", "results", queries.paths.size());
  for (std::int64_t q = 0; q < static_cast<std::int64_t>(queries.paths.size()); ++q, progress.advance()) {
    // The flush to the disk is left out: they can be made again in seconds, a hundred thousand flushes take
    // minutes.
    const std::string stem = std::filesystem::path(queries.paths[q]).stem().string();
    write_file_atomically(fmt::format("{}/{}_top{}.json", folder, stem, k),
                          json_text(result_json(search, queries, base, found, q)) + "\n", false);
    if (with_redis)
      write_file_atomically(fmt::format("{}/{}_{}_top{}_redis.json", rows, stem, search.direction, k),
                            json_text(redis_row(search, queries, base, found, q)) + "\n", false);
  }
}

std::string write_aggregate(const std::string& out, const SearchSettings& search, const VectorSet& queries,
                            const VectorSet& base, const Neighbours& found) {
  const SearchDirection& direction = search_direction(search.direction);
  const auto num_queries = static_cast<std::int64_t>(queries.paths.size());
  Json json = head(search, base);
  json["index"] = {{"role", direction.index}, {"root", search.index_root}, {"count", base.paths.size()}};
  json["search"] = {{"role", direction.search}, {"root", search.search_root}, {"count", num_queries}};
  json["timing_ms"] = {{"index_load", load_times(base.times)},
                       {"search_load", load_times(queries.times)},
                       {"index_build", search.index_build_ms},
                       {"total_search", search.search_ms * static_cast<double>(num_queries)},
                       {"avg_search", search.search_ms}};
  // One query after another: a hundred thousand of them need not be in memory at once.
  std::string text = json_text(json, -1);
  text.back() = ',';
  text += "\"results\":[";
  Progress progress("write", "results", queries.paths.size());
  for (std::int64_t q = 0; q < num_queries; ++q, progress.advance()) {
    text += q > 0 ? ",\n" : "\n";
    text += json_text({{"search", place(queries, q)},
                       {"hits", hits(base, found, q)},
                       {"timing_ms", query_times(search, queries, q)}},
                      -1);
  }
  const std::string path = fmt::format("{}/{}_{}_{}_top{}.json", out, search.weight, search.mode,
                                       direction.option, neighbours_of(search, base));
  make_folder(out);
  write_file_atomically(path, text + "\n]}\n");
  return path;
}

}  // namespace imatch
