// SPDX-License-Identifier: Apache-2.0
#include "match/nearest.h"

#include <ATen/core/grad_mode.h>
#include <c10/core/Device.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/device.h"
#include "base/error.h"
#include "base/lru.h"
#include "base/saved_time.h"
#include "match/kept_tokens.h"
#include "match/maxima.h"

namespace imatch {
namespace {

constexpr std::size_t kRememberedBytes = std::size_t{64} << 20;

void check_comparable(const Features& a, const Features& b) {
  if (a.backbone != b.backbone)
    throw Error(fmt::format(
        "features: those of a are from '{}', those of b from '{}'; expected one backbone with the "
        "same options",
        a.backbone, b.backbone));
  if (!a.tokens.defined() || !b.tokens.defined() || a.tokens.dim() != 2 || b.tokens.dim() != 2) return;
  if (a.tokens.size(1) != b.tokens.size(1))
    throw Error(
        fmt::format("features: tokens of a have {} dimensions, those of b {}; expected the same number",
                    a.tokens.size(1), b.tokens.size(1)));
  if (a.tokens.device() != b.tokens.device())
    throw Error(fmt::format("features: tokens of a lie on {}, those of b on {}; expected one device",
                            a.tokens.device().str(), b.tokens.device().str()));
}

MutualPairs compute_pairs(const Features& a, const Features& b, const TokenSelection& selection) {
  const at::NoGradGuard no_gradients;
  // Features lie on the CPU wherever they were computed; the product goes where the networks go.
  const c10::Device device =
      a.tokens.defined() && !a.tokens.is_cpu() ? a.tokens.device() : resolve_device("auto");
  const auto selected = [&](const Features& features, const char* name) {
    return device.is_cpu() ? select_tokens(features, selection, name)
                           : KeptTokens::of_gpu(device).on(device, features, selection, name);
  };
  const SelectedTokens in_a = selected(a, "a"), in_b = selected(b, "b");
  MutualPairs pairs;
  pairs.n_selected_a = in_a.indices.size(0);
  pairs.n_selected_b = in_b.indices.size(0);
  if (pairs.n_selected_a == 0 || pairs.n_selected_b == 0) return pairs;

  const Maxima best = product_maxima(in_a.unit, in_b.unit);
  std::vector<std::int64_t> found;  // positions in the selection of a
  for (std::int64_t i = 0; i < pairs.n_selected_a; ++i)
    if (best.row_value[i] == best.col_value[best.row_index[i]]) found.push_back(i);
  // Positions rise with token indices, so a stable sort leaves ties in order of idx_a.
  std::stable_sort(found.begin(), found.end(),
                   [&](std::int64_t i, std::int64_t k) { return best.row_value[i] > best.row_value[k]; });

  const std::int64_t* tokens_a = in_a.indices.const_data_ptr<std::int64_t>();
  const std::int64_t* tokens_b = in_b.indices.const_data_ptr<std::int64_t>();
  for (const std::int64_t i : found) {
    const std::int64_t j = best.row_index[i];
    pairs.idx_a.push_back(static_cast<std::int32_t>(tokens_a[i]));
    pairs.idx_b.push_back(static_cast<std::int32_t>(tokens_b[j]));
    pairs.similarity.push_back(std::clamp(best.row_value[i], -1.0f, 1.0f));
    pairs.first.push_back(best.col_index[j] == i);
  }
  return pairs;
}

double cell_side(const Affine2& grid) {
  return (std::hypot(grid.m[0], grid.m[3]) + std::hypot(grid.m[1], grid.m[4])) / 2;
}

Matches no_matches_yet(const Features& a, const Features& b) {
  Matches matches;
  matches.n_a = a.tokens.size(0);
  matches.n_b = b.tokens.size(0);
  matches.cell_a_px = cell_side(a.original_from_grid);
  matches.cell_b_px = cell_side(b.original_from_grid);
  matches.width_a = a.image_width, matches.height_a = a.image_height;
  matches.width_b = b.image_width, matches.height_b = b.image_height;
  matches.rows_a = a.rows, matches.cols_a = a.cols;
  matches.rows_b = b.rows, matches.cols_b = b.cols;
  matches.original_from_grid_a = a.original_from_grid;
  return matches;
}

struct RememberedPairs {
  MutualPairs pairs;
  double compute_ms = 0;
};

std::size_t bytes_of(const MutualPairs& pairs) {
  return sizeof(RememberedPairs) + pairs.similarity.size() * (2 * sizeof(std::int32_t) + sizeof(float) + 1);
}

}  // namespace

std::shared_ptr<const MutualPairs> mutual_pairs(const Features& a, const Features& b,
                                                const TokenSelection& selection) {
  check_comparable(a, b);
  if (a.key.empty() || b.key.empty()) return std::make_shared<MutualPairs>(compute_pairs(a, b, selection));
  const std::string key =
      fmt::format("{} {} {} {} {}", a.key, b.key, selection.max_features, selection.keypoint_th,
                  a.tokens.defined() ? a.tokens.device().str() : "");
  static SharedLru<std::string, RememberedPairs> memory(kRememberedBytes);
  const auto pairs_of = [](const std::shared_ptr<const RememberedPairs>& kept) {
    return std::shared_ptr<const MutualPairs>(kept, &kept->pairs);
  };
  if (const auto known = memory.find(key)) return note_saved_ms(known->compute_ms), pairs_of(known);
  const Stopwatch watch;
  auto made = std::make_shared<RememberedPairs>(RememberedPairs{compute_pairs(a, b, selection), 0});
  made->compute_ms = watch.ms();
  memory.insert(key, made, bytes_of(made->pairs) + key.size());
  return pairs_of(made);
}

Matches mutual_nearest(const Features& a, const Features& b, const MutualNearestOptions& options) {
  const auto pairs =
      mutual_pairs(a, b, {.keypoint_th = options.keypoint_th, .max_features = options.max_features});
  Matches matches = no_matches_yet(a, b);
  matches.n_selected_a = pairs->n_selected_a;
  matches.n_selected_b = pairs->n_selected_b;
  if (pairs->similarity.empty()) return matches;
  // With a negative best, best * line_th lies above the best itself, which must pass.
  const double best = pairs->similarity.front();
  const double least = std::max(options.match_th, std::min(best, best * options.line_th));
  for (std::size_t k = 0; k < pairs->similarity.size() && pairs->similarity[k] >= least; ++k) {
    if (options.unique && !pairs->first[k]) continue;
    matches.idx_a.push_back(pairs->idx_a[k]);
    matches.idx_b.push_back(pairs->idx_b[k]);
    matches.similarity.push_back(pairs->similarity[k]);
    matches.points_a.push_back(a.point(pairs->idx_a[k]));
    matches.points_b.push_back(b.point(pairs->idx_b[k]));
  }
  return matches;
}

}  // namespace imatch
