// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <tuple>

#include "base/field.h"
#include "geometry/planar.h"
#include "image/draw.h"
#include "image/image.h"

namespace imatch {

struct DrawMatchesOptions {
  int width = 1600;
  std::string caption;
  bool draw_outliers = true;
  bool draw_points = true;
  double opacity = 1;
  double outlier_opacity = 0.35;
  int max_lines = 400;
  int line_px = 1;
  double low = 0;
  double high = 1;
  std::string palette = "viridis";
  bool legend = true;
  using Self = DrawMatchesOptions;
  static constexpr auto fields = std::tuple{
      field("width", &Self::width, in_range(64, 16384),
            "Of the whole picture in pixels; both photos have the same height."),
      field("caption", &Self::caption, anything(), "Text below; it is broken into lines and shrunk to fit."),
      field("draw_outliers", &Self::draw_outliers, anything(),
            "Show the matches that are not inliers, faint and red."),
      field("draw_points", &Self::draw_points, anything(), "Circle the ends of the inliers' lines."),
      field("opacity", &Self::opacity, in_range(0, 1), "Of the inliers' lines."),
      field("outlier_opacity", &Self::outlier_opacity, in_range(0, 1), "Of the outliers' lines."),
      field("max_lines", &Self::max_lines, in_range(0, 1000000),
            "Inliers drawn, and outliers drawn, at most; of more, every n-th is shown. 0: none."),
      field("line_px", &Self::line_px, in_range(1, 32), "Thickness of the lines."),
      field("low", &Self::low, anything(), "Similarity of the palette's first colour."),
      field("high", &Self::high, anything(), "Similarity of the palette's last colour."),
      field("palette", &Self::palette, one_of(kPalettes), "Colours of the inliers by similarity."),
      field("legend", &Self::legend, anything(), "Show what the colours mean.")};
};

/// The two photos side by side with a line for each match: inliers coloured by `values` (similarity), the
/// best on top, outliers faint. Points are in original pixels of their photo. `inlier` empty: all are. Lists
/// of equal length. Throws Error for lists that differ in length or an empty photo.
Image draw_matches(const Image& a, const Image& b, std::span<const Point2> points_a,
                   std::span<const Point2> points_b, std::span<const float> values,
                   std::span<const std::uint8_t> inlier, const DrawMatchesOptions& options);

}  // namespace imatch
