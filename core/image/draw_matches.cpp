// SPDX-License-Identifier: Apache-2.0
#include "image/draw_matches.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "base/error.h"
#include "image/resize.h"

namespace imatch {
namespace {

constexpr Colour kBackground{24, 26, 30}, kText{232, 232, 232}, kOutlier{235, 70, 60};
constexpr int kGapPx = 6, kMarginPx = 10, kCaptionLines = 6, kLegendPx = 150;

void paste(Image& canvas, const Image& image, int left, int top) {
  for (int y = 0; y < image.height; ++y)
    std::memcpy(canvas.pixel(left, top + y), image.pixel(0, y), 3 * static_cast<std::size_t>(image.width));
}

Image filled(int width, int height, Colour colour) {
  Image image(width, height);
  for (std::size_t i = 0; i < image.rgb.size(); i += 3)
    image.rgb[i] = colour.red, image.rgb[i + 1] = colour.green, image.rgb[i + 2] = colour.blue;
  return image;
}

/// Every n-th of the list, so that at most `most` are left.
std::vector<std::size_t> thinned(const std::vector<std::size_t>& list, int most) {
  const auto limit = static_cast<std::size_t>(most);
  if (list.size() <= limit) return list;
  std::vector<std::size_t> some;
  for (std::size_t i = 0; i < limit; ++i) some.push_back(list[i * list.size() / limit]);
  return some;
}

/// A photo in the picture: its scaled pixels and where they begin.
struct Panel {
  Image image;
  double left = 0;
  double scale_x = 1;
  double scale_y = 1;
  Point2 operator()(Point2 p) const { return {left + p.x * scale_x, p.y * scale_y}; }
};

Panel panel(const Image& photo, int width, int height, int left) {
  return {resize_to(photo, {width, height}), static_cast<double>(left),
          static_cast<double>(width) / photo.width, static_cast<double>(height) / photo.height};
}

void draw_legend(Image& canvas, int left, int top, double text_px, const DrawMatchesOptions& options) {
  const int bar = static_cast<int>(text_px);
  for (int x = 0; x < kLegendPx; ++x) {
    const Colour colour = palette_colour(options.palette, (x + 0.5) / kLegendPx);
    draw_line(canvas, {left + x + 0.5, top + 0.5}, {left + x + 0.5, top + bar - 0.5}, colour);
  }
  const auto label = [&](double value) {
    return fit_text(fmt::format("{:.3g}", value), kLegendPx, text_px * 0.8, 1);
  };
  draw_text(canvas, {static_cast<double>(left), top + bar + 1.0}, label(options.low), kText);
  const TextBlock high = label(options.high);
  const double right = left + kLegendPx - 0.95 * high.text_px * static_cast<double>(high.lines[0].size());
  draw_text(canvas, {right, top + bar + 1.0}, high, kText);
}

}  // namespace

Image draw_matches(const Image& a, const Image& b, std::span<const Point2> points_a,
                   std::span<const Point2> points_b, std::span<const float> values,
                   std::span<const std::uint8_t> inlier, const DrawMatchesOptions& options) {
  const std::size_t count = points_a.size();
  if (points_b.size() != count || values.size() != count || (!inlier.empty() && inlier.size() != count))
    throw Error(
        fmt::format("draw_matches: {} and {} points, {} values, {} inlier flags; expected equal lengths",
                    count, points_b.size(), values.size(), inlier.size()));
  if (a.empty() || b.empty()) throw Error("draw_matches: a photo has no pixels");

  const double aspect_a = static_cast<double>(a.width) / a.height,
               aspect_b = static_cast<double>(b.width) / b.height;
  const int room = options.width - kGapPx;
  const int height =
      std::clamp(static_cast<int>(std::lround(room / (aspect_a + aspect_b))), 1, 4 * options.width);
  const int width_a =
      std::clamp(static_cast<int>(std::lround(room * aspect_a / (aspect_a + aspect_b))), 1, room - 1);
  const Panel left = panel(a, width_a, height, 0);
  const Panel right = panel(b, room - width_a, height, width_a + kGapPx);

  const double text_px = std::clamp(options.width / 100.0, 9.0, 32.0);
  const bool legend = options.legend && options.width >= 3 * kLegendPx;
  const int text_width = options.width - 2 * kMarginPx - (legend ? kLegendPx + 2 * kMarginPx : 0);
  const TextBlock caption = fit_text(options.caption, text_width, text_px, kCaptionLines);
  const int strip =
      std::max(options.caption.empty() ? 0 : caption.height(), legend ? static_cast<int>(3 * text_px) : 0);
  Image canvas = filled(options.width, height + (strip > 0 ? strip + kMarginPx : 0), kBackground);
  paste(canvas, left.image, 0, 0);
  paste(canvas, right.image, width_a + kGapPx, 0);

  std::vector<std::size_t> inliers, outliers;
  for (std::size_t i = 0; i < count; ++i) (inlier.empty() || inlier[i] ? inliers : outliers).push_back(i);
  inliers = thinned(inliers, options.max_lines);
  if (options.draw_outliers) {
    Image faint = canvas;
    for (const std::size_t i : thinned(outliers, options.max_lines))
      draw_line(faint, left(points_a[i]), right(points_b[i]), kOutlier, options.line_px);
    blend(canvas, faint, options.outlier_opacity);
  }
  std::ranges::stable_sort(inliers, {}, [&](std::size_t i) { return values[i]; });
  const double span = options.high - options.low;
  // Lines hide one another, the best on top; together they are laid over the photos.
  Image before;
  if (options.opacity < 1) before = canvas;
  for (const std::size_t i : inliers) {
    const Colour colour = palette_colour(options.palette, span > 0 ? (values[i] - options.low) / span : 1);
    const Point2 from = left(points_a[i]), to = right(points_b[i]);
    draw_line(canvas, from, to, colour, options.line_px);
    if (!options.draw_points) continue;
    draw_circle(canvas, from, 1.5 + options.line_px, colour, 1);
    draw_circle(canvas, to, 1.5 + options.line_px, colour, 1);
  }
  if (options.opacity < 1) blend(canvas, before, 1 - options.opacity);
  if (!options.caption.empty())
    draw_text(canvas, {static_cast<double>(kMarginPx), height + kMarginPx / 2.0}, caption, kText);
  if (legend)
    draw_legend(canvas, options.width - kMarginPx - kLegendPx, height + kMarginPx / 2, text_px, options);
  return canvas;
}

}  // namespace imatch
