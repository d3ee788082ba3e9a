// SPDX-License-Identifier: Apache-2.0
//
// Reads result files with simdjson: a hundred thousand queries with their answers are some hundred megabytes.
#include <fmt/format.h>
#include <simdjson.h>

#include <filesystem>
#include <limits>
#include <regex>

#include "base/error.h"
#include "base/file.h"
#include "base/progress.h"
#include "retrieval/search_result.h"

namespace imatch {
namespace {

using simdjson::ondemand::object;
using simdjson::ondemand::value;

class Reader {
 public:
  explicit Reader(SearchResults& results) : results_(results) {}

  void read(const std::string& path) {
    const auto before = results_.queries.size();
    try {
      std::string bytes = read_file(path);
      if (bytes.starts_with("\xEF\xBB\xBF")) bytes.erase(0, 3);
      bytes.reserve(bytes.size() + simdjson::SIMDJSON_PADDING);
      auto document = parser_.iterate(bytes);
      object root = document.get_object();
      RetrievedQuery query = empty();
      bool is_row = false, is_aggregate = false;
      for (auto member : root) {
        const std::string_view key = member.unescaped_key();
        if (key == "results" && is_row) {
          take_hits(member.value(), query);
        } else if (key == "results") {
          is_aggregate = true;
          for (auto entry : member.value().get_array()) {
            RetrievedQuery one = empty();
            for (auto part : entry.get_object()) take(part.unescaped_key(), part.value(), one);
            add(std::move(one));
          }
        } else if (key == "encoder") {
          is_row = true;
          query.name = query_of_row(path);
          keep(results_.weight, member.value());
        } else if (key == "weight") {
          keep(results_.weight, member.value());
        } else if (key == "mode") {
          keep(results_.mode, member.value());
        } else if (key == "direction") {
          keep(results_.direction, member.value());
        } else if (key == "index_build_ms") {
          query.index_build_ms = number(member.value());
        } else {
          take(key, member.value(), query);
        }
      }
      if (!is_aggregate) add(std::move(query));
    } catch (const simdjson::simdjson_error& e) {
      results_.queries.resize(before);
      results_.skipped.push_back({path, fmt::format("not a search result: {}", e.what())});
    } catch (const Failure& e) {
      results_.queries.resize(before);
      results_.skipped.push_back({path, e.what()});
    }
  }

 private:
  static RetrievedQuery empty() {
    constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
    RetrievedQuery query;
    query.embed_ms = query.search_ms = query.total_ms = query.index_build_ms = kNone;
    return query;
  }

  void add(RetrievedQuery query) {
    if (query.name.empty()) throw Failure(code::kBadFormat, "not a search result: 'search' is missing");
    results_.queries.push_back(std::move(query));
  }

  /// Of several files the first that says it.
  static void keep(std::string& held, value from) {
    const std::string_view text = from.get_string();
    if (held.empty()) held = text;
  }

  /// The image that <vector file>[_<direction>]_top<k>_redis.json tells of, else the vector's name.
  static std::string query_of_row(const std::string& path) {
    std::string stem = std::filesystem::path(path).stem().string();
    if (stem.ends_with("_redis")) stem.resize(stem.size() - std::string_view("_redis").size());
    if (const auto top = stem.rfind("_top"); top != std::string::npos) stem.resize(top);
    for (const SearchDirection& direction : kSearchDirections)
      if (stem.ends_with(fmt::format("_{}", direction.key))) {
        stem.resize(stem.size() - direction.key.size() - 1);
        break;
      }
    const std::string image = image_in_vector_name(stem);
    return image.empty() ? stem : image;
  }

  /// The image, else the vector file; of rows for Redis the file name.
  static std::string place(object from, double* score) {
    std::string image, vector;
    for (auto member : from) {
      const std::string_view key = member.unescaped_key();
      auto held = member.value();
      if (key == "score" && score)
        *score = held.get_double();
      else if ((key == "image" || key == "filename") && held.type() == simdjson::ondemand::json_type::string)
        image = std::string_view(held.get_string());
      else if (key == "vector")
        vector = std::string_view(held.get_string());
    }
    return image.empty() ? vector : image;
  }

  static double number(value from) {
    return from.type() == simdjson::ondemand::json_type::number ? double(from.get_double())
                                                                : std::numeric_limits<double>::quiet_NaN();
  }

  void take(std::string_view key, value held, RetrievedQuery& query) {
    if (key == "search") {
      query.name = place(held.get_object(), nullptr);
    } else if (key == "hits" || (key == "topk" && held.type() == simdjson::ondemand::json_type::array)) {
      take_hits(held, query);
    } else if (key == "timing_ms") {
      for (auto time : held.get_object()) {
        const std::string_view what = time.unescaped_key();
        if (what == "embed") query.embed_ms = number(time.value());
        if (what == "search") query.search_ms = number(time.value());
        if (what == "total") query.total_ms = number(time.value());
      }
    }
  }

  void take_hits(value held, RetrievedQuery& query) {
    for (auto hit : held.get_array()) {
      double score = 0;
      query.references.push_back(number_of(place(hit.get_object(), &score)));
      query.scores.push_back(score);
    }
  }

  std::int64_t number_of(std::string name) {
    const auto [at, is_new] =
        numbers_.try_emplace(std::move(name), static_cast<std::int64_t>(results_.references.size()));
    if (is_new) results_.references.push_back(at->first);
    return at->second;
  }

  SearchResults& results_;
  simdjson::ondemand::parser parser_;
  std::unordered_map<std::string, std::int64_t> numbers_;
};

}  // namespace

std::string image_in_vector_name(std::string_view stem) {
  static const std::regex form("_(?:LVD|SAT)_(.+)_([0-9]+)$");
  std::match_results<std::string_view::const_iterator> found;
  if (!std::regex_search(stem.begin(), stem.end(), found, form)) return "";
  return fmt::format("{}_{:0>5}.jpg", found[1].str(), found[2].str());
}

SearchResults read_results(const std::vector<std::string>& paths) {
  SearchResults results;
  Reader reader(results);
  Progress progress("read", "results", paths.size());
  for (const std::string& path : paths) {
    reader.read(path);
    progress.advance();
  }
  if (results.queries.empty() && !results.skipped.empty())
    throw Failure(code::kBadFormat, results.skipped.front().path + ": " + results.skipped.front().reason);
  return results;
}

}  // namespace imatch
