// SPDX-License-Identifier: Apache-2.0
//
// Reads result files with simdjson: a hundred thousand queries with their answers are some hundred megabytes.
#include <fmt/format.h>
#include <simdjson.h>

#include <limits>

#include "base/error.h"
#include "base/file.h"
#include "base/stop.h"
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
      bool is_aggregate = false;
      for (auto member : root) {
        const std::string_view key = member.unescaped_key();
        if (key == "results") {
          is_aggregate = true;
          for (auto entry : member.value().get_array()) {
            RetrievedQuery one = empty();
            for (auto part : entry.get_object()) take(part.unescaped_key(), part.value(), one);
            add(std::move(one));
          }
        } else if (key == "weight" || key == "mode" || key == "direction") {
          std::string& held = key == "weight" ? results_.weight
                              : key == "mode" ? results_.mode
                                              : results_.direction;
          const std::string_view text = member.value().get_string();
          if (held.empty()) held = text;
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
    query.embed_ms = query.search_ms = query.total_ms = kNone;
    return query;
  }

  void add(RetrievedQuery query) {
    if (query.name.empty()) throw Failure(code::kBadFormat, "not a search result: 'search' is missing");
    results_.queries.push_back(std::move(query));
  }

  /// The image, else the vector file.
  static std::string place(object from, double* score) {
    std::string image, vector;
    for (auto member : from) {
      const std::string_view key = member.unescaped_key();
      auto held = member.value();
      if (key == "score" && score)
        *score = held.get_double();
      else if (key == "image" && held.type() == simdjson::ondemand::json_type::string)
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
    } else if (key == "topk") {
      for (auto answer : held.get_array()) {
        double score = 0;
        query.references.push_back(number_of(place(answer.get_object(), &score)));
        query.scores.push_back(score);
      }
    } else if (key == "timing_ms") {
      for (auto time : held.get_object()) {
        const std::string_view what = time.unescaped_key();
        if (what == "embed") query.embed_ms = number(time.value());
        if (what == "search") query.search_ms = number(time.value());
        if (what == "total") query.total_ms = number(time.value());
      }
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

SearchResults read_results(const std::vector<std::string>& paths) {
  SearchResults results;
  Reader reader(results);
  for (const std::string& path : paths) {
    check_stop();
    reader.read(path);
  }
  if (results.queries.empty() && !results.skipped.empty())
    throw Failure(code::kBadFormat, results.skipped.front().path + ": " + results.skipped.front().reason);
  return results;
}

}  // namespace imatch
