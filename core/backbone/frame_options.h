// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <tuple>

#include "backbone/working_frame.h"
#include "base/field.h"
#include "image/resize.h"

namespace imatch {

/// How a backbone sees images: what the options of all of them have in common.
struct FrameOptions {
  int image_size = 336;
  std::string resize = "shorter";
  std::string interpolation = "bicubic";
  std::string arithmetic = "uint8";
};

inline constexpr const char* kResizeDoc =
    "Which side: 'shorter', 'longer' (aspect kept, both sides rounded to whole tokens), 'exact' (a square), "
    "'keep' (the image's own size, rounded alike) or 'shorter_cut' (what is over is cut off right and "
    "below).";

/// `least`: smallest image_size. `modes` and `resize_doc` of a backbone that has more of them.
constexpr auto frame_fields(double least, Allowed modes = one_of(WorkingFrame::kModes),
                            const char* resize_doc = kResizeDoc) {
  return std::tuple{
      field("image_size", &FrameOptions::image_size, in_range(least, 4096),
            "Side in pixels to which images are resized."),
      field("resize", &FrameOptions::resize, modes, resize_doc),
      field("interpolation", &FrameOptions::interpolation, one_of(ResizeOptions::kFilters),
            "Of the resizing, antialiased: as option `filter` of image.resize."),
      field(
          "arithmetic", &FrameOptions::arithmetic, one_of(WorkingFrame::kArithmetics),
          "'uint8': resized to whole samples, as Pillow resizes pictures; 'float': samples become float32 of "
          "0..1 first and are not rounded, as PyTorch's antialiased interpolation resizes tensors.")};
}

/// The frame of these options for tokens of `stride_px`.
inline WorkingFrame frame_of(const FrameOptions& options, int stride_px) {
  return {.mode = options.resize,
          .image_size_px = options.image_size,
          .stride_px = stride_px,
          .interpolation = options.interpolation,
          .arithmetic = options.arithmetic};
}

}  // namespace imatch
