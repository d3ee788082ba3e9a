// SPDX-License-Identifier: Apache-2.0
#include "match/pair_job.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <optional>
#include <set>
#include <span>

#include "base/error.h"
#include "base/stop.h"
#include "base/version.h"
#include "feature/similarity.h"
#include "io/npy.h"
#include "match/image_features.h"
#include "match/token_selection.h"

namespace imatch {
namespace {

constexpr const char* kMatchingMode = "mutual_knn_k1_unique";
/// Of the global vectors of a and b, and of their tokens.
std::array<std::string, 4> embedding_names(const std::string& other_global) {
  const std::string global = other_global.empty() ? "global" : "global_" + other_global;
  return {global + "_a", global + "_b", "patch_a", "patch_b"};
}

std::string embedding_path(const PairTask& pair, const std::string& name) {
  return fmt::format("{}/{}.npy", pair.embed_folder, name);
}

bool is_finished(const PairTask& pair, const std::string& other_global) {
  if (!std::filesystem::exists(pair.file)) return false;
  try {
    if (read_pair_file(pair.file, {.ignore_unknown = true}).settings_key != pair.settings_key) return false;
  } catch (const Failure&) {
    return false;  // damaged, or of another kind: written anew
  }
  return pair.embed_folder.empty() ||
         std::ranges::all_of(embedding_names(other_global), [&](const std::string& name) {
           return std::filesystem::exists(embedding_path(pair, name));
         });
}

/// As they are: select_tokens() has them at length one.
at::Tensor tokens_that_took_part(const Features& features, const MutualNearestOptions& match,
                                 const char* name) {
  const SelectedTokens selected = select_tokens(features, {match.keypoint_th, match.max_features}, name);
  return features.tokens.index_select(0, selected.indices.to(features.tokens.device()));
}

std::optional<int> square_side(int rows, int cols) {
  return rows == cols ? std::optional(rows) : std::nullopt;
}

std::vector<std::vector<double>> lists_of(const std::vector<Point2>& points) {
  std::vector<std::vector<double>> lists;
  for (const Point2& p : points) lists.push_back({p.x, p.y});
  return lists;
}

PairPatch patch_of(const Matches& m) {
  return {.n_a = static_cast<int>(m.n_a),
          .n_b = static_cast<int>(m.n_b),
          .n_selected_a = static_cast<int>(m.n_selected_a),
          .n_selected_b = static_cast<int>(m.n_selected_b),
          .grid_g_a = square_side(m.rows_a, m.cols_a),
          .grid_g_b = square_side(m.rows_b, m.cols_b),
          .idx_a = {m.idx_a.begin(), m.idx_a.end()},
          .idx_b = {m.idx_b.begin(), m.idx_b.end()},
          .similarities = {m.similarity.begin(), m.similarity.end()},
          .grid_a = PairGrid{m.rows_a, m.cols_a},
          .grid_b = PairGrid{m.rows_b, m.cols_b},
          .points_a = lists_of(m.points_a),
          .points_b = lists_of(m.points_b)};
}

/// Positions of pairs by the image in one role, in the order in which the images first occur.
struct ByImage {
  std::vector<int> images;
  std::vector<std::vector<const PairTask*>> pairs_of;  ///< By image.

  ByImage(std::span<const PairTask* const> pairs, int PairTask::*role, std::size_t num_images)
      : pairs_of(num_images) {
    for (const PairTask* pair : pairs) {
      auto& list = pairs_of[static_cast<std::size_t>(pair->*role)];
      if (list.empty()) images.push_back(pair->*role);
      list.push_back(pair);
    }
  }
};

class PairJob {
 public:
  PairJob(const Backbone& backbone, const PairJobOptions& options, const PairJobEvents& events)
      : backbone_(backbone),
        options_(options),
        events_(events),
        features_(backbone, options.images,
                  {options.rotations_deg, options.batch_size, options.memory_mb, options.folder}) {
    features_.on_features = [this](const Features& f) {
      const PairJobGrid grid{f.image_width, f.image_height, f.rows, f.cols,
                             static_cast<int>(f.tokens.size(1))};
      if (grids_.insert(grid).second) events_.on_grid(grid);
    };
    const std::string sha256 = backbone.weights_sha256();
    if (!sha256.empty()) weights_sha256_ = sha256;
  }

  PairJobResult run() {
    counts_.total = options_.pairs.size();
    std::vector<const PairTask*> pending;
    for (const PairTask& pair : options_.pairs) {
      check_stop();
      if (!options_.force && is_finished(pair, options_.other_global))
        ++counts_.finished;
      else
        pending.push_back(&pair);
    }
    run_in_groups(pending);
    PairJobResult result{counts_, {}};
    for (std::size_t i = 0; i < options_.images.size(); ++i)
      if (const std::string& why = features_.problem(static_cast<int>(i)); !why.empty())
        result.failed_images.push_back({options_.images[i], why});
    return result;
  }

 private:
  void run_in_groups(std::span<const PairTask* const> pending) {
    if (pending.empty()) return;
    const std::size_t num_images = options_.images.size();
    const ByImage by_b(pending, &PairTask::b, num_images);
    features_.load(std::span(by_b.images).first(1));  // tells how much memory an image takes
    const std::size_t group_size = features_.images_in_half();
    for (std::size_t first = 0; first < by_b.images.size(); first += group_size) {
      const auto group = part(by_b.images, first, group_size);
      std::vector<bool> in_group(num_images);
      for (const int b : group) in_group[static_cast<std::size_t>(b)] = true;
      std::vector<const PairTask*> of_group;
      for (const PairTask* pair : pending)
        if (in_group[static_cast<std::size_t>(pair->b)]) of_group.push_back(pair);
      run_group(group, of_group);
    }
  }

  /// Every a passes by the images b of one group, a batch at a time.
  void run_group(std::span<const int> group, std::span<const PairTask* const> pairs) {
    const ByImage by_a(pairs, &PairTask::a, options_.images.size());
    const std::size_t batch =
        std::min(static_cast<std::size_t>(options_.batch_size), features_.images_in_half());
    for (std::size_t first = 0; first < by_a.images.size(); first += batch) {
      const auto some_a = part(by_a.images, first, batch);
      std::vector<int> wanted(group.begin(), group.end());
      wanted.insert(wanted.end(), some_a.begin(), some_a.end());
      features_.load(wanted);
      for (const int a : some_a)
        for (const PairTask* pair : by_a.pairs_of[static_cast<std::size_t>(a)]) finish(*pair);
    }
  }

  static std::span<const int> part(const std::vector<int>& list, std::size_t first, std::size_t count) {
    return std::span(list).subspan(first, std::min(count, list.size() - first));
  }

  void finish(const PairTask& pair) {
    check_stop();
    if (features_.problem(pair.a).empty() && features_.problem(pair.b).empty()) {
      write_pair_file(pair.file, matched(pair));
      ++counts_.run;
    } else {
      ++counts_.skipped;
    }
    events_.on_progress(counts_);
  }

  PairFile matched(const PairTask& pair) {
    const auto a = features_.of(pair.a), b = features_.of(pair.b);
    const auto rotated_b = features_.rotations_of(pair.b);
    const auto start = std::chrono::steady_clock::now();
    std::optional<RotationSummary> rotation;
    Matches matches;
    const Features* matched_b = b.get();
    if (rotated_b.empty()) {
      matches = mutual_nearest(*a, *b, options_.match);
    } else {
      RotationSearch search =
          search_rotations(*a, rotated_b, {.score = options_.rotation_score, .match = options_.match});
      rotation = std::move(search.summary);
      matches = std::move(search.matches);
      matched_b = rotated_b[search.best].get();
    }
    const std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - start;
    if (!pair.embed_folder.empty()) {
      const at::Tensor arrays[] = {a->global, b->global, tokens_that_took_part(*a, options_.match, "a"),
                                   tokens_that_took_part(*matched_b, options_.match, "b")};
      const auto names = embedding_names(options_.other_global);
      for (std::size_t k = 0; k < names.size(); ++k) write_npy(embedding_path(pair, names[k]), arrays[k]);
    }
    return record(pair, *a, *b, matches, std::move(rotation), elapsed.count());
  }

  PairFile record(const PairTask& pair, const Features& a, const Features& b, const Matches& matches,
                  std::optional<RotationSummary> rotation, double match_ms) const {
    const double forward_a = features_.forward_ms(pair.a), forward_b = features_.forward_ms(pair.b);
    const MutualNearestOptions& match = options_.match;
    const double global_cosine = cosine(a.global, b.global);
    const bool is_expected = options_.other_global.empty();
    return {.meta = options_.meta,
            .image_a = options_.images[static_cast<std::size_t>(pair.a)],
            .image_b = options_.images[static_cast<std::size_t>(pair.b)],
            .weight = options_.weight,
            .cosine = is_expected ? std::optional(global_cosine) : std::nullopt,
            .time_ms = {forward_a, forward_b, forward_a + forward_b + match_ms},
            .advanced_settings = {match.match_th, match.max_features, match.keypoint_th, match.line_th,
                                  kMatchingMode},
            .patch = patch_of(matches),
            .weights_sha256 = weights_sha256_,
            .program_version = program_version(),
            .other_global =
                is_expected ? std::nullopt : std::optional(PairGlobal{options_.other_global, global_cosine}),
            .preprocessing = PairPreprocessing{backbone_.spec(),
                                               backbone_.stride(),
                                               {a.image_width, a.image_height},
                                               {b.image_width, b.image_height}},
            .rotation_search = std::move(rotation),
            .settings_key = pair.settings_key.empty() ? std::nullopt : std::optional(pair.settings_key)};
  }

  const Backbone& backbone_;
  const PairJobOptions& options_;
  const PairJobEvents& events_;
  ImageFeatures features_;
  std::optional<std::string> weights_sha256_;
  PairJobProgress counts_;
  std::set<PairJobGrid> grids_;  ///< Told already.
};

void check(const PairJobOptions& options) {
  for (const PairTask& pair : options.pairs)
    for (const int image : {pair.a, pair.b})
      if (image < 0 || static_cast<std::size_t>(image) >= options.images.size())
        throw Error(fmt::format("pairs: image {} of {}; expected a 0-based position among the images", image,
                                options.images.size()));
}

}  // namespace

PairJobResult run_pairs(const Backbone& backbone, const PairJobOptions& options,
                        const PairJobEvents& events) {
  check(options);
  return PairJob(backbone, options, events).run();
}

}  // namespace imatch
