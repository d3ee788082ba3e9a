// SPDX-License-Identifier: Apache-2.0
#include "retrieval/search_result.h"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "base/stop.h"
#include "io/json_file.h"

namespace imatch {
namespace {

std::string name_of(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

Json or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

Json place(const VectorSet& set, std::int64_t i) {
  return {{"vector", set.paths[i]}, {"meta", or_null(set.metas[i])}, {"image", or_null(set.images[i])}};
}

Json timing(const SearchSettings& search, const VectorSet& queries, std::int64_t q) {
  const double embed = queries.embed_ms[q];
  const double known = std::isnan(embed) ? 0 : embed;
  return {{"embed", std::isnan(embed) ? Json(nullptr) : Json(embed)},
          {"search", search.search_ms},
          {"total", known + search.search_ms}};
}

template <class Visit>
void for_each_answer(const Neighbours& found, std::int64_t q, Visit visit) {
  const std::int64_t k = found.ids.size(1);
  const std::int64_t* ids = found.ids.const_data_ptr<std::int64_t>() + q * k;
  const float* scores = found.scores.const_data_ptr<float>() + q * k;
  for (std::int64_t i = 0; i < k && ids[i] >= 0; ++i) visit(i + 1, ids[i], static_cast<double>(scores[i]));
}

Json answers(const VectorSet& base, const Neighbours& found, std::int64_t q) {
  Json list = Json::array();
  for_each_answer(found, q, [&](std::int64_t rank, std::int64_t id, double score) {
    Json answer{{"rank", rank}, {"score", score}};
    answer.update(place(base, id));
    list.push_back(std::move(answer));
  });
  return list;
}

Json head(const SearchSettings& search, const VectorSet& queries, const VectorSet& base) {
  return {{"weight", search.weight},          {"mode", search.mode},
          {"direction", search.direction},    {"k", search.k},
          {"index_count", base.paths.size()}, {"search_count", queries.paths.size()}};
}

}  // namespace

Json result_json(const SearchSettings& search, const VectorSet& queries, const VectorSet& base,
                 const Neighbours& found, std::int64_t q) {
  Json json = head(search, queries, base);
  json["search"] = place(queries, q);
  json["topk"] = answers(base, found, q);
  json["timing_ms"] = timing(search, queries, q);
  return json;
}

Json redis_row(const SearchSettings& search, const VectorSet& queries, const VectorSet& base,
               const Neighbours& found, std::int64_t q) {
  Json results = Json::array();
  for_each_answer(found, q, [&](std::int64_t rank, std::int64_t id, double score) {
    const std::string& path = base.images[id].empty() ? base.paths[id] : base.images[id];
    results.push_back({{"rank", rank}, {"path", path}, {"filename", name_of(path)}, {"score", score}});
  });
  return {{"encoder", search.weight},
          {"backend", search.backend},
          {"dim", queries.vectors.size(1)},
          {"metric", search.metric},
          {"topk", search.k},
          {"timing_ms", timing(search, queries, q)},
          {"results", std::move(results)},
          {"index_build_ms", search.index_build_ms}};
}

void write_results(const std::string& folder, const SearchSettings& search, const VectorSet& queries,
                   const VectorSet& base, const Neighbours& found, bool with_redis) {
  make_folder(folder);
  for (std::int64_t q = 0; q < static_cast<std::int64_t>(queries.paths.size()); ++q) {
    check_stop();
    // The flush to the disk is left out: they can be made again in seconds, a hundred thousand flushes take
    // minutes.
    const std::string stem =
        fmt::format("{}/{}_{}_top{}", folder, std::filesystem::path(queries.paths[q]).stem().string(),
                    search.direction, search.k);
    write_file_atomically(stem + ".json", json_text(result_json(search, queries, base, found, q)) + "\n",
                          false);
    if (with_redis)
      write_file_atomically(stem + "_redis.json",
                            json_text(redis_row(search, queries, base, found, q)) + "\n", false);
  }
}

void write_aggregate(const std::string& path, const SearchSettings& search, const VectorSet& queries,
                     const VectorSet& base, const Neighbours& found) {
  std::string text = json_text(head(search, queries, base), -1);
  text.back() = ',';
  text += "\"results\":[";
  for (std::int64_t q = 0; q < static_cast<std::int64_t>(queries.paths.size()); ++q) {
    check_stop();
    if (q > 0) text += ',';
    text += '\n';
    text += json_text({{"search", place(queries, q)},
                       {"topk", answers(base, found, q)},
                       {"timing_ms", timing(search, queries, q)}},
                      -1);
  }
  write_file_atomically(path, text + "\n]}\n");
}

}  // namespace imatch
