// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "geometry/planar.h"
#include "image/image.h"
#include "image/resize.h"

namespace imatch {

/// What a file of preprocessing asks for (backbone/hf_preprocessor.h); what is over whole multiples is cut
/// off at the right and the bottom, which is what a network's own strides do.
struct ProcessorSteps {
  int shorter_px = 0;  ///< The shorter side becomes this, the longer one is rounded down; 0: see `stretched`.
  std::optional<ImageSize> stretched = {};  ///< Every image becomes this large; neither: it stays as it is.
  std::optional<ImageSize> crop = {};       ///< From the middle, then; black where the image is smaller.
};

/// The frame in which a backbone sees images: resized with their aspect (or to a square), both sides whole
/// multiples. "shorter_cut" gets there by cutting what is over at the right and the bottom, after a resize
/// whose longer side is rounded down (torchvision.transforms.Resize); the others by rounding both sides, so
/// that nothing is lost.
struct WorkingFrame {
  static constexpr std::string_view kModes[] = {"shorter", "longer", "exact", "keep", "shorter_cut"};
  static constexpr std::string_view kArithmetics[] = {"uint8", "float"};

  std::string mode = "shorter";
  int image_size_px = 336;
  int stride_px = 16;                   ///< Side of a token.
  int multiple_px = stride_px;          ///< Of which both sides are multiples; itself one of stride_px.
  int cut_multiple_px = multiple_px;    ///< The same where images are cut.
  std::optional<ImageSize> fixed = {};  ///< The only size that the network takes: images are stretched to it.
  std::optional<ProcessorSteps> processor = {};  ///< Instead of `mode`, unless `fixed`.
  std::string interpolation = "bicubic";         ///< Antialiased; of ResizeOptions::kFilters.
  /// "uint8": as Pillow resizes pictures, to whole samples; "float": as PyTorch resizes tensors.
  std::string arithmetic = "uint8";

  /// What the backbone sees. Throws Failure (too_large) beyond 2^24 pixels: a narrow image whose shorter side
  /// is enlarged.
  ImageSize size_of(const Image& image) const;
  /// In "uint8" arithmetic, whatever `arithmetic` is.
  Image resized(const Image& image) const;
  /// [3, height, width] float32 in [0, 1], and what "float" leaves beyond; contiguous or not.
  at::Tensor resized_samples(const Image& image) const;
  /// For Features: a token's centre is the centre of its cell.
  Affine2 original_from_grid(const Image& image) const;

 private:
  /// Before anything is cut off.
  ImageSize uncut_size_of(const Image& image) const;
  /// What of the uncut image is left: its corner, beyond which lies black where it is negative.
  struct Window {
    int left = 0, top = 0;
    ImageSize size = {};
  };
  Window window_in(ImageSize uncut) const;
};

/// Positions of the images that have one working size, at most `limit` a batch; sizes in the order of first
/// sight.
std::vector<std::vector<std::size_t>> batches_of_one_size(std::span<const Image* const> images,
                                                          const WorkingFrame& frame, std::size_t limit);

}  // namespace imatch
