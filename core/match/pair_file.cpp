// SPDX-License-Identifier: Apache-2.0
#include "match/pair_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <numeric>

#include "base/error.h"
#include "io/json_file.h"

namespace imatch {
namespace {

[[noreturn]] void fail(const std::string& name, const std::string& what) {
  throw Failure(code::kBadFormat, name + ": " + what);
}

/// The object under `path` ("patch"; "" for the whole), which must have the keys.
void require(const Json& json, const std::string& name, const std::string& path,
             std::initializer_list<const char*> keys) {
  const Json& object = path.empty() ? json : json.at(path);
  const std::string prefix = path.empty() ? "" : path + ".";
  if (!object.is_object())
    fail(name, path.empty() ? "expected a table of keys" : path + ": expected a table of keys");
  for (const char* key : keys)
    if (!object.contains(key)) fail(name, fmt::format("the key '{}{}' is missing", prefix, key));
}

/// Takes out what the option struct does not list, at every level.
template <OptionStruct S>
void erase_unknown(Json& json);

template <class Member>
void erase_unknown_below(Json& value) {
  if constexpr (detail::is_optional<Member>::value) {
    if (!value.is_null()) erase_unknown_below<typename Member::value_type>(value);
  } else if constexpr (detail::is_vector<Member>::value) {
    if constexpr (OptionStruct<typename Member::value_type>)
      for (Json& item : value) erase_unknown<typename Member::value_type>(item);
  } else if constexpr (OptionStruct<Member>) {
    erase_unknown<Member>(value);
  }
}

template <OptionStruct S>
void erase_unknown(Json& json) {
  if (!json.is_object()) return;
  Json known = Json::object();
  const auto keep = [&](const auto& f) {
    using Member = std::remove_cvref_t<decltype(std::declval<S>().*(f.member))>;
    if (!json.contains(f.name)) return;
    known[f.name] = json[f.name];
    erase_unknown_below<Member>(known[f.name]);
  };
  std::apply([&](const auto&... f) { (keep(f), ...); }, S::fields);
  json = std::move(known);
}

void check_indices(const std::string& name, const char* key, const std::vector<int>& indices, int tokens) {
  for (std::size_t k = 0; k < indices.size(); ++k)
    if (indices[k] >= tokens)
      fail(name, fmt::format("patch.{}[{}]: token {} of {}", key, k, indices[k], tokens));
}

void check_grid(const std::string& name, const char* key, const std::optional<PairGrid>& grid, int tokens) {
  if (grid && std::int64_t{grid->rows} * grid->cols != tokens)
    fail(name, fmt::format("patch.{}: {} x {} cells for {} tokens", key, grid->rows, grid->cols, tokens));
}

void check_square(const std::string& name, const char* key, const std::optional<int>& side, int tokens) {
  if (side && std::int64_t{*side} * *side != tokens)
    fail(name, fmt::format("patch.{}: {} x {} cells for {} tokens", key, *side, *side, tokens));
}

void check_points(const std::string& name, const char* key,
                  const std::optional<std::vector<std::vector<double>>>& points, std::size_t count) {
  if (!points) return;
  if (points->size() != count)
    fail(name, fmt::format("patch.{}: {} points for {} matches", key, points->size(), count));
  for (const auto& point : *points)
    if (point.size() != 2) fail(name, fmt::format("patch.{}: expected {{x, y}} for each match", key));
}

void check_consistent(const PairFile& pair, const std::string& name) {
  const PairPatch& p = pair.patch;
  const std::size_t count = p.similarities.size();
  if (p.idx_a.size() != count || p.idx_b.size() != count)
    fail(name, fmt::format("patch: {} idx_a, {} idx_b and {} similarities; expected equal lengths",
                           p.idx_a.size(), p.idx_b.size(), count));
  check_indices(name, "idx_a", p.idx_a, p.n_a);
  check_indices(name, "idx_b", p.idx_b, p.n_b);
  check_grid(name, "grid_a", p.grid_a, p.n_a);
  check_grid(name, "grid_b", p.grid_b, p.n_b);
  check_square(name, "grid_g_a", p.grid_g_a, p.n_a);
  check_square(name, "grid_g_b", p.grid_g_b, p.n_b);
  check_points(name, "points_a", p.points_a, count);
  check_points(name, "points_b", p.points_b, count);
  if (pair.preprocessing)
    for (const auto* size : {&pair.preprocessing->image_size_a, &pair.preprocessing->image_size_b})
      if (!size->empty() && size->size() != 2)
        fail(name, "preprocessing.image_size: expected {width, height}");
}

/// A token grid over an original image.
struct Grid {
  int rows = 0;
  int cols = 0;
  Affine2 original_from_grid;
};

Grid over_whole(int rows, int cols, ImageSize image) {
  return {rows,
          cols,
          {{static_cast<double>(image.width) / cols, 0, 0, 0, static_cast<double>(image.height) / rows, 0}}};
}

/// Patch sizes that a weight's name speaks of, or those in use.
std::vector<int> patches_of(const std::string& weight) {
  if (weight.starts_with("cx")) return {32};
  for (const int patch : {14, 16})
    if (weight.find(std::to_string(patch)) != std::string::npos) return {patch};
  return {14, 16, 32, 8};
}

Grid grid_of(const PairFile& pair, char which, ImageSize image) {
  const PairPatch& p = pair.patch;
  const int tokens = which == 'a' ? p.n_a : p.n_b;
  const auto& grid = which == 'a' ? p.grid_a : p.grid_b;
  const auto& square = which == 'a' ? p.grid_g_a : p.grid_g_b;
  const int shorter = std::min(image.width, image.height), longer = std::max(image.width, image.height);
  if (pair.meta.image_size && shorter > 0) {
    const int short_px = *pair.meta.image_size;
    const auto long_px = static_cast<int>(std::int64_t{short_px} * longer / shorter);
    const ImageSize resized =
        image.width < image.height ? ImageSize{short_px, long_px} : ImageSize{long_px, short_px};
    for (const int patch : patches_of(pair.weight)) {
      const int rows = resized.height / patch, cols = resized.width / patch;
      if (std::int64_t{rows} * cols != tokens || tokens == 0) continue;
      if (grid && (grid->rows != rows || grid->cols != cols)) continue;
      return {rows,
              cols,
              {{1.0 * patch * image.width / resized.width, 0, 0, 0,
                1.0 * patch * image.height / resized.height, 0}}};
    }
  }
  if (grid) return over_whole(grid->rows, grid->cols, image);
  if (square) return over_whole(*square, *square, image);
  if (tokens == 0) return over_whole(1, 1, image);
  throw Failure(code::kNoResult,
                fmt::format("patch.n_{}: no grid of {} tokens fits an image of {} x {} px; expected "
                            "patch.grid_{} with its rows and columns",
                            which, tokens, image.width, image.height, which));
}

std::vector<Point2> points_of(const Grid& grid, const std::vector<int>& indices) {
  std::vector<Point2> points;
  for (const int i : indices)
    points.push_back(grid.original_from_grid({i % grid.cols + 0.5, i / grid.cols + 0.5}));
  return points;
}

/// From the size the file names to that of the image at hand, which may be a smaller copy.
std::vector<Point2> scaled(const std::vector<std::vector<double>>& points, const std::vector<int>& from,
                           ImageSize to) {
  const double x = from.empty() ? 1 : static_cast<double>(to.width) / from[0];
  const double y = from.empty() ? 1 : static_cast<double>(to.height) / from[1];
  std::vector<Point2> list;
  for (const auto& p : points) list.push_back({p[0] * x, p[1] * y});
  return list;
}

double cell_side(const Affine2& grid) {
  return (std::hypot(grid.m[0], grid.m[3]) + std::hypot(grid.m[1], grid.m[4])) / 2;
}

Json pruned(Json json, std::initializer_list<const char*> optional_keys) {
  for (const char* key : optional_keys)
    if (json[key].is_null()) json.erase(key);
  return json;
}

}  // namespace

Json to_json(const PairFile& pair) {
  Json json = pruned(options_to_json(pair), {"weights_sha256", "program_version", "other_global",
                                             "preprocessing", "rotation_search", "settings_key"});
  json["patch"] = pruned(json["patch"], {"grid_a", "grid_b", "points_a", "points_b"});
  return json;
}

Json header_json(const PairFile& pair) {
  PairFile header = pair;
  header.patch = {};
  Json json = to_json(header);
  json.erase("patch");
  return json;
}

PairFile parse_pair(const Json& json, const std::string& name, const PairReadOptions& options) {
  require(json, name, "",
          {"meta", "image_a", "image_b", "weight", "cosine", "time_ms", "advanced_settings", "patch"});
  require(json, name, "meta", {});
  require(json, name, "time_ms", {"forward_a", "forward_b", "total"});
  require(json, name, "advanced_settings",
          {"match_threshold", "max_features", "keypoint_threshold", "line_threshold", "matching_mode"});
  require(json, name, "patch",
          {"n_a", "n_b", "n_selected_a", "n_selected_b", "grid_g_a", "grid_g_b", "idx_a", "idx_b",
           "similarities"});
  PairFile pair;
  try {
    if (options.ignore_unknown) {
      Json known = json;
      erase_unknown<PairFile>(known);
      pair = parse_options<PairFile>(known, name);
    } else {
      pair = parse_options<PairFile>(json, name);
    }
  } catch (const Error& error) {
    std::string text = error.what();  // "FILE: patch: unknown option 'idx'": of a file they are keys
    if (const std::size_t at = text.find(": unknown option '"); at != std::string::npos)
      text.replace(at, 18, ": unknown key '");
    throw Failure(code::kBadFormat, text);
  }
  check_consistent(pair, name);
  return pair;
}

PairFile read_pair_file(const std::string& path, const PairReadOptions& options) {
  return parse_pair(read_json(path), path, options);
}

void write_pair_file(const std::string& path, const PairFile& pair) {
  check_consistent(pair, path);
  write_json(path, to_json(pair));
}

Matches matches_of(const PairFile& pair, ImageSize a, ImageSize b) {
  const PairPatch& p = pair.patch;
  const std::vector<int> unknown;
  const auto& from_a = pair.preprocessing ? pair.preprocessing->image_size_a : unknown;
  const auto& from_b = pair.preprocessing ? pair.preprocessing->image_size_b : unknown;
  const bool has_points = p.points_a && p.points_b;
  const auto grid_for = [&](char which, ImageSize image) {
    const auto& known = which == 'a' ? p.grid_a : p.grid_b;
    if (has_points && known) return over_whole(std::max(1, known->rows), std::max(1, known->cols), image);
    return grid_of(pair, which, image);
  };
  const Grid grid_a = grid_for('a', a), grid_b = grid_for('b', b);
  std::vector<Point2> points_a = has_points ? scaled(*p.points_a, from_a, a) : points_of(grid_a, p.idx_a);
  std::vector<Point2> points_b = has_points ? scaled(*p.points_b, from_b, b) : points_of(grid_b, p.idx_b);

  Matches matches;
  std::vector<std::size_t> order(p.similarities.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t i, std::size_t k) {
    return std::tuple(-p.similarities[i], p.idx_a[i]) < std::tuple(-p.similarities[k], p.idx_a[k]);
  });
  for (const std::size_t k : order) {
    matches.idx_a.push_back(p.idx_a[k]);
    matches.idx_b.push_back(p.idx_b[k]);
    matches.similarity.push_back(static_cast<float>(p.similarities[k]));
    matches.points_a.push_back(points_a[k]);
    matches.points_b.push_back(points_b[k]);
  }
  matches.n_a = p.n_a, matches.n_b = p.n_b;
  matches.n_selected_a = p.n_selected_a, matches.n_selected_b = p.n_selected_b;
  matches.rows_a = grid_a.rows, matches.cols_a = grid_a.cols;
  matches.rows_b = grid_b.rows, matches.cols_b = grid_b.cols;
  matches.original_from_grid_a = grid_a.original_from_grid;
  matches.cell_a_px = cell_side(grid_a.original_from_grid);
  matches.cell_b_px = cell_side(grid_b.original_from_grid);
  matches.width_a = a.width, matches.height_a = a.height;
  matches.width_b = b.width, matches.height_b = b.height;
  return matches;
}

}  // namespace imatch
