// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/field.h"
#include "geometry/planar.h"
#include "image/image.h"

namespace imatch {

struct Colour {
  std::uint8_t red = 255;
  std::uint8_t green = 255;
  std::uint8_t blue = 255;
};

/// Red, green and blue. Throws Error unless there are three numbers in 0 to 255.
Colour colour_of(std::span<const int> rgb);

/// A picture of one colour.
Image filled_image(int width, int height, Colour colour);

/// Colour maps for numbers in [0, 1]. viridis: even steps to the eye; turbo: more of them; grey.
inline constexpr std::string_view kPalettes[] = {"viridis", "turbo", "grey"};

/// Values outside [0, 1] have the colour of the nearer end. Throws Error for another palette.
Colour palette_colour(std::string_view palette, double value);

/// Antialiased, in the pixel frame of the picture (0.5, 0.5 is the centre of the first pixel), to 1/16 px.
/// What lies outside is cut off; what is not finite is not drawn.
void draw_line(Image& image, Point2 from, Point2 to, Colour colour, int thickness_px = 1);
/// Filled when thickness_px is 0.
void draw_circle(Image& image, Point2 centre, double radius_px, Colour colour, int thickness_px = 1);
/// Closed outline.
void draw_polygon(Image& image, std::span<const Point2> corners, Colour colour, int thickness_px = 1);

/// Replaces the picture by itself mixed with `top`, opacity in [0, 1], where `valid` (empty: everywhere) is
/// not 0. Throws Error when the sizes differ.
void blend(Image& image, const Image& top, double opacity, std::span<const std::uint8_t> valid = {});

/// Text set into lines no longer than a width, at a height that may have been lowered to make it fit.
struct TextBlock {
  std::vector<std::string> lines;
  double text_px = 0;  ///< Height of a capital letter.
  int line_px = 0;     ///< From one line to the next.
  int height() const { return line_px * static_cast<int>(lines.size()); }
};

/// Breaks at blanks and, where a word alone is too long, inside it. Over `max_lines` the letters shrink to 60
/// % at most; what is still too long ends in "...". Characters that the font lacks (it has ASCII) become
/// their nearest spelling or
/// '?'.
TextBlock fit_text(const std::string& text, int width_px, double text_px, int max_lines);
void draw_text(Image& image, Point2 top_left, const TextBlock& text, Colour colour);

struct HeatMapOptions {
  double opacity = 0.55;
  std::optional<double> low;
  std::optional<double> high;
  std::string palette = "turbo";
  bool smooth = true;
  using Self = HeatMapOptions;
  static constexpr auto fields = std::tuple{
      field("opacity", &Self::opacity, in_range(0, 1), "Of the colours over the picture."),
      field("low", &Self::low, anything(), "Value of the palette's first colour; unset: the smallest value."),
      field("high", &Self::high, anything(), "Value of the palette's last colour; unset: the largest value."),
      field("palette", &Self::palette, one_of(kPalettes), "Colours from low to high."),
      field("smooth", &Self::smooth, anything(), "Interpolate between cells instead of showing squares.")};
};

/// Lays a grid of values, row-major rows x cols over the whole picture, as colours over it. Values that are
/// not finite are not drawn. Throws Error when there are not rows * cols values.
Image draw_heat_map(const Image& image, std::span<const float> values, int rows, int cols,
                    const HeatMapOptions& options);

}  // namespace imatch
