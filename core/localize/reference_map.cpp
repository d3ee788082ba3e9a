// SPDX-License-Identifier: Apache-2.0
#include "localize/reference_map.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/mv.h>
#include <ATen/ops/stack.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "base/progress.h"
#include "base/revision.h"
#include "base/sha256.h"
#include "base/stop.h"
#include "retrieval/window_pooling.h"

namespace imatch {
namespace {

/// To be raised when a picture of the map or its tokens come out otherwise under the same description.
const std::string kRevision = fmt::format("map chunk {}", revision_of("localize"));

constexpr std::size_t kChunksAtOnce = 8;  // to fill the batches of backbones that see each tile alone

/// The tokens less than half of whose cells the map covers, set to zero: zero is no token.
void clear_uncovered(at::Tensor& tokens, const View& view, int rows, int cols, int token_px) {
  const int width = view.image.width;
  for (int r = 0; r < rows; ++r)
    for (int c = 0; c < cols; ++c) {
      std::int64_t covered = 0;
      for (int y = r * token_px; y < (r + 1) * token_px; ++y)
        for (int x = c * token_px; x < (c + 1) * token_px; ++x)
          covered += view.valid[static_cast<std::size_t>(y) * width + x] != 0;
      if (2 * covered < std::int64_t{1} * token_px * token_px) tokens[std::int64_t{1} * r * cols + c].zero_();
    }
}

/// [rows * cols] bool: tokens that are not zero.
at::Tensor covered_tokens(const at::Tensor& tokens) {
  return at::linalg_vector_norm(tokens, 2, at::IntArrayRef{1}).gt(0);
}

double angle_between_deg(double a, double b) {
  return std::abs(std::remainder(a - b, 360));
}

}  // namespace

ReferenceMapOptions::ReferenceMapOptions() = default;

ReferenceMap::ReferenceMap(std::shared_ptr<const Ground> ground, const std::string& spec,
                           const Json& backbone_options, const ReferenceMapOptions& options)
    : ground_(std::move(ground)), ground_digest_(ground_->digest()), options_(options) {
  const at::NoGradGuard no_gradients;
  photo_backbone_ = open_backbone(spec, backbone_options);
  Json unresized = backbone_options.is_object() ? backbone_options : Json::object();
  unresized["resize"] = "keep";
  map_backbone_ = open_backbone(spec, unresized);

  const Image blank(options.image_width, options.image_height);
  const Image* const blanks[] = {&blank};
  const Features seen = photo_backbone_->extract(blanks).front();
  photo_ = {seen.rows, seen.cols, photo_backbone_->stride()};

  const bool own_vector = options.global == "backbone";
  chunks_ = lay_chunks(ground_->extent(), photo_, options, photo_backbone_->is_local() && !own_vector);
  held_.resize(chunks_.size());

  const std::size_t passes = options.global == "vlad" ? 2 : 1;
  Progress progress(
      {.name = "map", .unit = "chunks", .total = static_cast<std::int64_t>(passes * chunks_.size())});
  if (passes == 2) {
    VocabularyLearner learner;
    for (std::size_t first = 0; first < chunks_.size();) {
      for (const auto& features : make_features(next_batch(first)))
        learner.add(features->tokens, features->key);
      progress.update({.done = first, .numbers = {}});
    }
    vocabulary_ = learner.learn(options.vlad_words);
  }

  std::vector<at::Tensor> vectors;
  for (std::size_t first = 0; first < chunks_.size();) {
    const std::vector<std::size_t> batch = next_batch(first);
    const auto features = make_features(batch);
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const MapChunk& chunk = chunks_[batch[i]];
      const Features& map = *features[i];
      const Homography to_ground = ground_from_image(chunk.camera);
      const WindowPooling pooled = pool_windows(map.tokens.view({chunk.rows, chunk.cols, -1}), photo_.rows,
                                                photo_.cols, chunk.step, options.global, vocabulary_);
      const float* coverage = pooled.coverage.const_data_ptr<float>();
      for (int t = 0; t < chunk.tile_rows * chunk.tile_cols; ++t) {
        if (coverage[t] < options.min_coverage) continue;
        const int row = t / chunk.tile_cols * chunk.step, col = t % chunk.tile_cols * chunk.step;
        const double px = photo_.token_px;
        vectors.push_back(own_vector ? map.global : pooled.vectors[t]);
        tiles_.push_back({static_cast<int>(batch[i]), row, col,
                          to_ground({(col + photo_.cols / 2.0) * px, (row + photo_.rows / 2.0) * px}),
                          chunk.camera.heading_deg, chunk.tile_width_m, coverage[t]});
      }
    }
    progress.update({.done = (passes - 1) * chunks_.size() + first, .numbers = {}});
  }
  if (tiles_.empty())
    throw Failure(
        code::kNoResult,
        fmt::format("localize: {} covers no tile of {:.4g} m by {:.0f} %; check width_m and min_coverage",
                    ground_->name(), options.width_m, 100 * options.min_coverage));
  const at::Tensor all = at::stack(vectors);
  whitening_ = Whitening(all, options.whiten_dims);
  vectors_ = whitening_(all);
}

std::vector<std::size_t> ReferenceMap::next_batch(std::size_t& first) const {
  const std::size_t most = chunks_[first].tile_rows * chunks_[first].tile_cols > 1 ? 1 : kChunksAtOnce;
  std::vector<std::size_t> batch;
  for (; first < chunks_.size() && batch.size() < most; ++first) batch.push_back(first);
  return batch;
}

std::string ReferenceMap::chunk_key(std::size_t chunk) const {
  const std::string window = options_to_json(chunks_[chunk].camera).dump();
  return feature_key({.image_digest = ground_digest_ + " " + window,
                      .backbone = map_backbone_->spec(),
                      .weights_sha256 = map_backbone_->weights_sha256(),
                      .more = kRevision});
}

std::vector<std::shared_ptr<const Features>> ReferenceMap::make_features(
    std::span<const std::size_t> chunks) const {
  std::vector<std::shared_ptr<const Features>> list(chunks.size());
  std::vector<std::size_t> missing;
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    check_stop();
    list[i] = feature_cache().get(chunk_key(chunks[i]));
    if (!list[i]) missing.push_back(i);
  }
  if (!missing.empty()) {
    const auto start = std::chrono::steady_clock::now();
    std::vector<View> views;
    std::vector<const Image*> images;
    for (const std::size_t i : missing) views.push_back(ground_->view(chunks_[chunks[i]].camera));
    for (const View& view : views) images.push_back(&view.image);
    std::vector<Features> made = map_backbone_->extract(images);
    const std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - start;
    for (std::size_t k = 0; k < missing.size(); ++k) {
      Features& features = made[k];
      clear_uncovered(features.tokens, views[k], features.rows, features.cols, photo_.token_px);
      features.key = chunk_key(chunks[missing[k]]);
      auto shared = std::make_shared<const Features>(std::move(features));
      feature_cache().put(shared->key, shared, elapsed.count() / static_cast<double>(missing.size()));
      list[missing[k]] = std::move(shared);
    }
  }
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    const double mb = static_cast<double>(list[i]->bytes()) / 1e6;
    if (held_[chunks[i]] || held_mb_ + mb > options_.memory_mb) continue;
    held_[chunks[i]] = list[i];
    held_mb_ += mb;
  }
  return list;
}

std::shared_ptr<const Features> ReferenceMap::chunk_features(std::size_t chunk) const {
  {
    const std::lock_guard lock(mutex_);
    if (held_[chunk]) return held_[chunk];
  }
  const std::size_t one[] = {chunk};
  return make_features(one).front();
}

at::Tensor ReferenceMap::vector_of(const Features& photo) const {
  const at::NoGradGuard no_gradients;
  const at::Tensor vector = options_.global == "backbone"
                                ? photo.global
                                : pool_windows(photo.tokens.view({photo.rows, photo.cols, -1}), photo.rows,
                                               photo.cols, 1, options_.global, vocabulary_)
                                      .vectors[0];
  if (vector.numel() != whitening_.dim())
    throw Error(
        fmt::format("localize: the photo's vector has {} values, those of the map {}; its features "
                    "come from '{}', those of the map from '{}'",
                    vector.numel(), whitening_.dim(), photo.backbone, photo_backbone_->spec()));
  return whitening_(vector);
}

std::vector<Retrieved> ReferenceMap::retrieve(const at::Tensor& vector, int k, double apart) const {
  const at::NoGradGuard no_gradients;
  const at::Tensor scores = at::mv(vectors_, vector).contiguous();
  const float* score = scores.const_data_ptr<float>();
  std::vector<int> order(tiles_.size());
  std::iota(order.begin(), order.end(), 0);
  const auto is_better = [&](int a, int b) { return score[a] != score[b] ? score[a] > score[b] : a < b; };
  // Without tiles to pass over, k suffice; else a part of the order at a time, as far as needed.
  std::size_t sorted = 0;
  std::vector<Retrieved> list;
  const double heading_step_deg = options_.heading_step_deg * 1.01;
  const auto is_near_a_better_one = [&](const Tile& tile) {
    return apart > 0 && std::ranges::any_of(list, [&](const Retrieved& r) {
             const Tile& other = tiles_[r.tile];
             return std::hypot(tile.centre.x - other.centre.x, tile.centre.y - other.centre.y) <
                        apart * tile.width_m &&
                    angle_between_deg(tile.heading_deg, other.heading_deg) <= heading_step_deg;
           });
  };
  for (std::size_t i = 0; i < order.size() && list.size() < static_cast<std::size_t>(k); ++i) {
    if (i == sorted) {
      sorted = std::min(order.size(), std::max<std::size_t>(2 * sorted, apart > 0 ? 512 : k));
      std::partial_sort(order.begin() + i, order.begin() + sorted, order.end(), is_better);
    }
    if (!is_near_a_better_one(tiles_[order[i]])) list.push_back({order[i], score[order[i]]});
  }
  return list;
}

Features ReferenceMap::window(const Tile& tile, int margin) const {
  const at::NoGradGuard no_gradients;
  const MapChunk& chunk = chunks_[tile.chunk];
  const auto map = chunk_features(tile.chunk);
  const int top = std::max(tile.row - margin, 0), left = std::max(tile.col - margin, 0);
  const int bottom = std::min(tile.row + photo_.rows + margin, chunk.rows);
  const int right = std::min(tile.col + photo_.cols + margin, chunk.cols);
  Features features;
  features.rows = bottom - top;
  features.cols = right - left;
  features.tokens = map->tokens.view({chunk.rows, chunk.cols, -1})
                        .slice(0, top, bottom)
                        .slice(1, left, right)
                        .flatten(0, 1)
                        .contiguous();
  features.global = map->global;
  features.selectable = covered_tokens(features.tokens);
  const double px = photo_.token_px;
  features.original_from_grid = {{px, 0, left * px, 0, px, top * px}};
  features.image_width = map->image_width;
  features.image_height = map->image_height;
  features.backbone = photo_backbone_->spec();
  return features;
}

Homography ReferenceMap::ground_from_chunk(const Tile& tile) const {
  return ground_from_image(chunks_[tile.chunk].camera);
}

Features ReferenceMap::features_seen_by(const CameraOptions& camera) const {
  const at::NoGradGuard no_gradients;
  const View view = ground_->view(camera);
  const Image* const images[] = {&view.image};
  Features features = std::move(map_backbone_->extract(images).front());
  clear_uncovered(features.tokens, view, features.rows, features.cols, photo_.token_px);
  features.selectable = covered_tokens(features.tokens);
  features.backbone = photo_backbone_->spec();
  return features;
}

}  // namespace imatch
