// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tuple>

#include "backbone/backbone.h"
#include "backbone/frame_options.h"
#include "backbone/sift_grid.h"
#include "base/field.h"
#include "feature/pooling.h"

namespace imatch {

struct DenseSiftOptions : FrameOptions {
  int step = 8;
  int bin_size = 4;
  std::string global = "mean";

  using Self = DenseSiftOptions;
  static constexpr auto fields = std::tuple_cat(
      frame_fields(16),
      std::tuple{
          field("step", &Self::step, in_range(1, 256),
                "Distance of neighbouring descriptors in pixels of the resized image."),
          field("bin_size", &Self::bin_size, in_range(1, 64),
                "Side in pixels of one of the 4 x 4 bins of a descriptor; the smoothing is a third of it."),
          field(
              "global", &Self::global, one_of(kPoolings),
              "The image's vector: 'mean' of the tokens, 'mean_std' (with their standard deviation) or 'gem' "
              "(p = 3).")});
};

/// RootSIFT on a dense grid: tokens [rows * cols, 128] as dense_rootsift says, on luma (ITU-R 601). Needs no
/// weights and runs on the CPU. A token's norm is the square root of the mean gradient around it.
class DenseSift final : public Backbone {
 public:
  using Options = DenseSiftOptions;
  static constexpr const char* kName = "dense_sift";
  static constexpr const char* kDoc =
      "RootSIFT descriptors on a dense grid, upright: 128 values a token whose norm tells the contrast. No "
      "weights.";

  explicit DenseSift(Options options);

  std::vector<Features> extract(std::span<const Image* const> images) const override;
  std::string spec() const override;
  std::string weights_sha256() const override { return ""; }
  int stride() const override { return options_.step; }
  bool is_local() const override { return true; }

 private:
  Options options_;
  WorkingFrame frame_;
};

}  // namespace imatch
