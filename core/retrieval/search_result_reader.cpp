// SPDX-License-Identifier: Apache-2.0
//
// Reads result files with simdjson: a hundred thousand queries with their answers are some hundred megabytes.
#include <fmt/format.h>
#include <simdjson.h>

#include <filesystem>
#include <limits>
#include <unordered_set>

#include "base/error.h"
#include "base/file.h"
#include "base/progress.h"
#include "retrieval/image_name.h"
#include "retrieval/search_result.h"

namespace imatch {
namespace {

using simdjson::ondemand::json_type;
using simdjson::ondemand::object;
using simdjson::ondemand::value;

constexpr double kNotKnown = std::numeric_limits<double>::quiet_NaN();

/// A query of a file; `vector` tells it from others, as far as the file names it.
struct ReadQuery {
  RetrievedQuery query;
  std::string vector;
};

struct ResultFile {
  std::string group, weight, mode, direction;
  std::vector<ReadQuery> found;
};

/// Takes `suffix` off the end of `text`, where it stands there.
bool strip(std::string& text, std::string_view suffix) {
  if (!text.ends_with(suffix)) return false;
  text.resize(text.size() - suffix.size());
  return true;
}

class Reader {
 public:
  Reader(SearchResults& results, std::string direction)
      : results_(results), direction_(std::move(direction)) {}

  void read(const std::string& path) {
    const std::size_t before = results_.references.size();
    try {
      keep(read_one(path));
    } catch (const simdjson::simdjson_error& e) {
      leave_out(path, fmt::format("not a search result: {}", e.what()), before);
    } catch (const Failure& e) {
      leave_out(path, e.what(), before);
    }
  }

 private:
  ResultFile read_one(const std::string& path) {
    std::string bytes = read_file(path);
    if (bytes.starts_with("\xEF\xBB\xBF")) bytes.erase(0, 3);
    bytes.reserve(bytes.size() + simdjson::SIMDJSON_PADDING);
    auto document = parser_.iterate(bytes);
    object root = document.get_object();
    ResultFile file;
    ReadQuery one = empty(path);
    bool is_row = path.ends_with("_redis.json"), is_aggregate = false;
    if (is_row) name_row(path, file, one);
    for (auto member : root) {
      const std::string_view key = member.unescaped_key();
      value held = member.value();
      if (key == "results" && is_row) {
        take_hits(held, one.query);
      } else if (key == "results") {
        is_aggregate = true;
        for (auto entry : held.get_array()) {
          ReadQuery next = empty(path);
          for (auto part : entry.get_object()) take(part.unescaped_key(), part.value(), next);
          file.found.push_back(std::move(next));
        }
      } else if (key == "encoder") {
        if (!is_row) name_row(path, file, one);
        is_row = true;
        file.weight = std::string_view(held.get_string());
      } else if (key == "weight") {
        file.weight = std::string_view(held.get_string());
      } else if (key == "mode") {
        file.mode = std::string_view(held.get_string());
      } else if (key == "direction") {
        file.direction = std::string_view(held.get_string());
      } else {
        take(key, held, one);
      }
    }
    file.group = group_of(path, is_aggregate);
    if (!is_aggregate) file.found.push_back(std::move(one));
    for (ReadQuery& found : file.found) {
      if (found.query.name.empty())
        throw Failure(code::kBadFormat, "not a search result: 'search' is missing");
      if (is_aggregate) {
        found.query.k = one.query.k;
        found.query.index_build_ms = one.query.index_build_ms;
      }
    }
    if (direction_.empty()) direction_ = file.direction;
    if (!file.direction.empty() && file.direction != direction_)
      throw Failure(code::kBadFormat,
                    fmt::format("its direction is {}, that of the others {}", file.direction, direction_));
    return file;
  }

  void keep(ResultFile file) {
    std::size_t num_twice = 0;
    for (ReadQuery& found : file.found) {
      if (!found.vector.empty() && !seen_.insert(found.vector).second)
        ++num_twice;
      else
        results_.queries.push_back(std::move(found.query));
    }
    if (num_twice > 0)
      results_.skipped.push_back(
          {file.found.front().query.file,
           fmt::format("{} of its queries are in files read before, with another k perhaps", num_twice)});
    const auto first = [](std::string& held, std::string& said) {
      if (held.empty()) held = std::move(said);
    };
    first(results_.group, file.group);
    first(results_.weight, file.weight);
    first(results_.mode, file.mode);
    first(results_.direction, file.direction);
  }

  /// References that the file alone named are forgotten again.
  void leave_out(const std::string& path, std::string reason, std::size_t num_references) {
    for (std::size_t i = num_references; i < results_.references.size(); ++i)
      numbers_.erase(results_.references[i]);
    results_.references.resize(num_references);
    if (reason.starts_with(path + ": ")) reason.erase(0, path.size() + 2);
    results_.skipped.push_back({path, std::move(reason)});
  }

  static std::string group_of(const std::string& path, bool is_aggregate) {
    const std::filesystem::path whole = std::filesystem::absolute(path).lexically_normal();
    if (!is_aggregate) return whole.parent_path().filename().string();
    const std::string stem = whole.stem().string();
    return stem.substr(0, stem.rfind("_top"));
  }

  static ReadQuery empty(const std::string& path) {
    ReadQuery found;
    RetrievedQuery& query = found.query;
    query.file = path;
    query.embed_ms = query.search_ms = query.total_ms = query.index_build_ms = kNotKnown;
    return found;
  }

  /// <vector file>[_<direction>]_top<k>_redis.json: the query is the image that the vector's name tells of,
  /// else that name.
  static void name_row(const std::string& path, ResultFile& file, ReadQuery& found) {
    std::string stem = std::filesystem::path(path).stem().string();
    strip(stem, "_redis");
    if (const auto top = stem.rfind("_top"); top != std::string::npos) stem.resize(top);
    for (const SearchDirection& direction : kSearchDirections)
      if (strip(stem, fmt::format("_{}", direction.key))) {
        file.direction = direction.key;
        break;
      }
    const std::string image = image_in_vector_name(stem);
    found.query.name = image.empty() ? stem : image;
    found.vector = stem;
  }

  struct Place {
    std::string image, vector;
    double score = 0;
    /// The image, else the vector file.
    std::string name() const { return image.empty() ? vector : image; }
  };

  /// A query, a hit, or of rows for Redis a result.
  static Place place(object from) {
    Place place;
    for (auto member : from) {
      const std::string_view key = member.unescaped_key();
      auto held = member.value();
      if (key == "score")
        place.score = held.get_double();
      else if ((key == "image" || key == "filename") && held.type() == json_type::string)
        place.image = std::string_view(held.get_string());
      else if (key == "vector")
        place.vector = std::string_view(held.get_string());
    }
    return place;
  }

  static double number(value from) {
    return from.type() == json_type::number ? double(from.get_double()) : kNotKnown;
  }

  void take(std::string_view key, value held, ReadQuery& found) {
    RetrievedQuery& query = found.query;
    if (key == "search") {
      const Place searched = place(held.get_object());
      query.name = searched.name();
      found.vector = searched.vector;
    } else if (key == "hits" || (key == "topk" && held.type() == json_type::array)) {
      take_hits(held, query);
    } else if (key == "k" || key == "topk") {
      if (std::int64_t k = 0; held.get_int64().get(k) == simdjson::SUCCESS) query.k = k;
    } else if (key == "index_build_ms") {
      query.index_build_ms = number(held);
    } else if (key == "timing_ms") {
      for (auto time : held.get_object()) {
        const std::string_view what = time.unescaped_key();
        if (what == "embed") query.embed_ms = number(time.value());
        if (what == "search") query.search_ms = number(time.value());
        if (what == "total") query.total_ms = number(time.value());
        if (what == "index_build") query.index_build_ms = number(time.value());
      }
    }
  }

  void take_hits(value held, RetrievedQuery& query) {
    for (auto hit : held.get_array()) {
      const Place found = place(hit.get_object());
      query.references.push_back(number_of(found.name()));
      query.scores.push_back(found.score);
    }
  }

  std::int64_t number_of(std::string name) {
    const auto [at, is_new] =
        numbers_.try_emplace(std::move(name), static_cast<std::int64_t>(results_.references.size()));
    if (is_new) results_.references.push_back(at->first);
    return at->second;
  }

  SearchResults& results_;
  std::string direction_;  ///< Of all files; that of the first that names one, unless it was asked for.
  std::unordered_set<std::string> seen_;
  simdjson::ondemand::parser parser_;
  std::unordered_map<std::string, std::int64_t> numbers_;
};

}  // namespace

SearchResults read_results(const std::vector<std::string>& paths, const std::string& direction) {
  SearchResults results;
  Reader reader(results, direction);
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
