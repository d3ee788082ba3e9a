// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <tuple>

#include "base/field.h"
#include "geometry/planar.h"
#include "image/decode.h"
#include "image/image.h"

namespace imatch {

struct ResizeOptions {
  std::string mode = "shorter";
  int size = 224;
  int width = 0;
  int height = 0;
  int multiple = 1;
  std::string rounding = "nearest";
  std::string filter = "bicubic";
  bool only_shrink = false;

  static constexpr std::string_view kModes[] = {"shorter", "longer", "exact", "keep"};
  static constexpr std::string_view kRoundings[] = {"nearest", "down", "up"};
  static constexpr std::string_view kFilters[] = {"bilinear", "bicubic", "area"};
  using Self = ResizeOptions;
  static constexpr auto fields = std::tuple{
      field("mode", &Self::mode, one_of(kModes),
            "'shorter', 'longer': that side becomes `size`, the other follows in proportion; 'exact': "
            "`width` x "
            "`height`, or `size` x `size` when both are 0; 'keep': the size stays, but for `multiple`."),
      field("size", &Self::size, in_range(1, 65536),
            "Side in pixels for 'shorter', 'longer' and a square 'exact'."),
      field("width", &Self::width, in_range(0, 65536), "Width in pixels for 'exact'."),
      field("height", &Self::height, in_range(0, 65536), "Height in pixels for 'exact'."),
      field("multiple", &Self::multiple, in_range(1, 4096),
            "Both sides are then rounded, each for itself, to a multiple of this, at least one multiple: the "
            "patch size "
            "or stride of a network."),
      field("rounding", &Self::rounding, one_of(kRoundings),
            "How sides are rounded to the multiple; halves go up."),
      field("filter", &Self::filter, one_of(kFilters),
            "Antialiased, the filter is widened when shrinking. 'bicubic' has a = -0.5, 'area' is the mean "
            "of the "
            "covered pixels. All equal Pillow 13's BILINEAR, BICUBIC and BOX bit for bit."),
      field("only_shrink", &Self::only_shrink, anything(),
            "Leave a picture that is already smaller as it is, but for "
            "`multiple`.")};
};

/// The size that resize() gives a picture of the given size. Proportional sides are rounded to the nearest
/// pixel, at least 1. Throws Error for a side of 0 or beyond 65536, or 'exact' with one of `width` and
/// `height` missing.
ImageSize resized_size(ImageSize original, const ResizeOptions& options);

struct Resized {
  Image image;
  /// Pixels of the resized picture -> pixels of the original: x * original width / new width, with no offset,
  /// since the frame begins at the corner of the first pixel.
  Affine2 original_from_resized;
};

/// Separable convolution resampling, in the fixed-point arithmetic of Pillow's Resample.c and with equal
/// results. Throws Error as resized_size does, and for an empty picture.
Resized resize(const Image& image, const ResizeOptions& options);

/// The part of a picture from (left, top) to (right, bottom), in pixels and fractions of them.
struct PictureBox {
  double left = 0;
  double top = 0;
  double right = 0;
  double bottom = 0;
};

/// A part of the picture, resized: Pillow's Image.resize(size, filter, box). Throws Error for a part that is
/// empty or leaves the picture.
Image resize_part(const Image& image, const PictureBox& part, ImageSize size, std::string_view filter);

/// The largest part of the shape of `size` from the middle of the picture, resized: Pillow's ImageOps.fit.
Image fit(const Image& image, ImageSize size, std::string_view filter = "bicubic");

/// The same to a size that is already known.
Image resize_to(const Image& image, ImageSize size, std::string_view filter = "bicubic");

}  // namespace imatch
