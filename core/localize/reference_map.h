// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "backbone/backbone.h"
#include "feature/cache.h"
#include "geometry/planar.h"
#include "localize/tile_grid.h"
#include "render/ground.h"
#include "retrieval/vocabulary.h"
#include "retrieval/whitening.h"

namespace imatch {

struct ReferenceMapOptions : TileOptions {
  int image_width = 4000;
  int image_height = 3000;
  std::string global = "mean_std";
  int vlad_words = 32;
  int whiten_dims = 0;
  double memory_mb = 2048;

  ReferenceMapOptions();  // out of line: inlined, GCC 12 takes `scales` for uninitialised

  using Self = ReferenceMapOptions;
  static constexpr std::string_view kGlobals[] = {"backbone", "mean", "mean_std", "gem", "vlad"};
  static constexpr auto fields = std::tuple_cat(
      TileOptions::fields,
      std::tuple{
          field("image_width", &Self::image_width, in_range(1, 1e5),
                "Of the photos that will be looked for, px; with image_height it gives the shape of a tile."),
          field("image_height", &Self::image_height, in_range(1, 1e5), "Likewise."),
          field("global", &Self::global, one_of(kGlobals),
                "What stands for a tile in the retrieval: the mean of its tokens, 'mean_std' (with their "
                "standard deviation), 'gem' (p = 3), 'vlad' (residuals to words learned from the map), or "
                "'backbone': the vector that the backbone gives itself, a class token for one, for which it "
                "must see each tile alone."),
          field("vlad_words", &Self::vlad_words, in_range(1, 4096), "Words of the vocabulary of 'vlad'."),
          field("whiten_dims", &Self::whiten_dims, in_range(0, 65536),
                "Vectors keep so many principal components, scaled to the same deviation; 0: each dimension "
                "is scaled by itself."),
          field("memory_mb", &Self::memory_mb, in_range(1, 1e6),
                "Tokens of the map kept in memory, in 10^6 bytes; the others come from the feature cache.")});
};

/// The ground that one photo could show.
struct Tile {
  int chunk = 0;
  int row = 0;  ///< First token within the chunk.
  int col = 0;
  Point2 centre;  ///< Metres east and north.
  double heading_deg = 0;
  double width_m = 0;
  double coverage = 0;  ///< Share of its tokens that the map covers.
};

/// A tile and how much a photo's vector resembles its own.
struct Retrieved {
  int tile = 0;
  double score = 0;  ///< Cosine of the whitened vectors.
};

/// A map prepared for the search: cut into tiles of several widths and headings, each with one vector; the
/// tokens of every tile at hand for matching. Pictures of the map come straight from windows of its file;
/// their features lie in the feature cache by the map's hash, the window, the angle and the backbone, so a
/// second preparation only reads them. Vectors are whitened over the tiles, since what all have in common
/// tells nothing about the place. Thread-safe.
class ReferenceMap {
 public:
  /// `spec` and `backbone_options` as open_backbone takes them, for the photos. Throws as open_backbone,
  /// lay_chunks and Ground::view; Failure (no_result) when no tile is covered enough.
  ReferenceMap(std::shared_ptr<const Ground> ground, const std::string& spec, const Json& backbone_options,
               const ReferenceMapOptions& options);

  const Ground& ground() const { return *ground_; }
  const Backbone& backbone() const { return *photo_backbone_; }
  const ReferenceMapOptions& options() const { return options_; }
  const PhotoGrid& photo_grid() const { return photo_; }
  std::span<const Tile> tiles() const { return tiles_; }
  std::size_t num_chunks() const { return chunks_.size(); }
  /// [tiles, D] float32, whitened, of length one.
  const at::Tensor& vectors() const { return vectors_; }
  /// Of 'vlad', with the hash of the pictures that it was learned from.
  const Vocabulary& vocabulary() const { return vocabulary_; }

  /// The photo's vector as those of the tiles are, [D].
  at::Tensor vector_of(const Features& photo) const;
  /// The k most alike, ties by tile. `apart` > 0: of tiles whose centres are nearer than that share of their
  /// width and whose headings and widths are neighbours, the best only.
  std::vector<Retrieved> retrieve(const at::Tensor& vector, int k, double apart = 0) const;

  /// Tokens of a tile and `margin` more on every side as far as its picture goes, with the map from their
  /// grid to the pixels of that picture.
  Features window(const Tile& tile, int margin) const;
  /// From the pixels of a tile's picture to the ground.
  Homography ground_from_chunk(const Tile& tile) const;

  /// Features of what a camera sees of the map, as the photo's backbone would see it, at the photos' own
  /// resolution: token_px pixels of the view a token; tokens off the map are not selectable.
  Features features_seen_by(const CameraOptions& camera) const;

 private:
  std::shared_ptr<const Features> chunk_features(std::size_t chunk) const;
  std::vector<std::shared_ptr<const Features>> make_features(std::span<const std::size_t> chunks) const;
  std::string chunk_key(std::size_t chunk) const;
  /// Chunks that go forward together, from `first` on; `first` moves behind them.
  std::vector<std::size_t> next_batch(std::size_t& first) const;

  std::shared_ptr<const Ground> ground_;
  std::string ground_digest_;
  ReferenceMapOptions options_;
  std::shared_ptr<const Backbone> photo_backbone_;
  std::shared_ptr<const Backbone> map_backbone_;  ///< The same without resizing.
  PhotoGrid photo_;
  std::vector<MapChunk> chunks_;
  std::vector<Tile> tiles_;
  at::Tensor vectors_;
  Vocabulary vocabulary_;
  Whitening whitening_;

  mutable std::mutex mutex_;
  mutable std::vector<std::shared_ptr<const Features>> held_;  ///< By chunk; null: in the cache.
  mutable double held_mb_ = 0;
};

}  // namespace imatch
