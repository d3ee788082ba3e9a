// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "geometry/planar.h"
#include "image/image.h"
#include "image/resize.h"

namespace imatch {

/// The frame in which a backbone sees images: resized with their aspect (or to a square), both sides whole
/// multiples. "shorter_cut" gets there by cutting what is over at the right and the bottom, after a resize
/// whose longer side is rounded down (torchvision.transforms.Resize); the others by rounding both sides, so
/// that nothing is lost.
struct WorkingFrame {
  static constexpr std::string_view kModes[] = {"shorter", "longer", "exact", "keep", "shorter_cut"};

  std::string mode = "shorter";
  int image_size_px = 336;
  int stride_px = 16;                   ///< Side of a token.
  int multiple_px = stride_px;          ///< Of which both sides are multiples; itself one of stride_px.
  std::optional<ImageSize> fixed = {};  ///< The only size that the network takes: images are stretched to it.

  /// What the backbone sees. Throws Failure (too_large) beyond 2^24 pixels: a narrow image whose shorter side
  /// is enlarged.
  ImageSize size_of(const Image& image) const;
  /// Antialiased bicubic.
  Image resized(const Image& image) const;
  /// For Features: a token's centre is the centre of its cell.
  Affine2 original_from_grid(const Image& image) const;

 private:
  /// Before anything is cut off.
  ImageSize uncut_size_of(const Image& image) const;
};

/// Positions of the images that have one working size, at most `limit` a batch; sizes in the order of first
/// sight.
std::vector<std::vector<std::size_t>> batches_of_one_size(std::span<const Image* const> images,
                                                          const WorkingFrame& frame, std::size_t limit);

}  // namespace imatch
