// SPDX-License-Identifier: Apache-2.0
#include "image/draw.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <opencv2/imgproc.hpp>

#include "base/error.h"
#include "image/cv_mat.h"

namespace imatch {
namespace {

constexpr int kShift = 4;  // OpenCV's fixed point: 1/16 px

cv::Scalar scalar(Colour c) {
  return {double(c.red), double(c.green), double(c.blue)};
}

/// OpenCV's frame has the first pixel's centre at (0, 0).
cv::Point fixed(Point2 p) {
  const auto round = [](double v) { return static_cast<int>(std::lround((v - 0.5) * (1 << kShift))); };
  return {round(p.x), round(p.y)};
}

/// Cuts the segment at the rectangle (Liang and Barsky); false when nothing is left.
bool clip(Point2& from, Point2& to, double left, double top, double right, double bottom) {
  const double dx = to.x - from.x, dy = to.y - from.y;
  double begin = 0, end = 1;
  const std::array<std::array<double, 2>, 4> edges{
      {{-dx, from.x - left}, {dx, right - from.x}, {-dy, from.y - top}, {dy, bottom - from.y}}};
  for (const auto& [step, room] : edges) {
    if (step == 0 && room < 0) return false;
    if (step < 0) begin = std::max(begin, room / step);
    if (step > 0) end = std::min(end, room / step);
  }
  if (!(begin <= end)) return false;
  const Point2 first{from.x + begin * dx, from.y + begin * dy};
  to = {from.x + end * dx, from.y + end * dy};
  from = first;
  return true;
}

bool finite(Point2 p) {
  return std::isfinite(p.x) && std::isfinite(p.y);
}

using PaletteTable = std::array<Colour, 256>;

PaletteTable make_palette(int colour_map) {
  cv::Mat ramp(1, 256, CV_8UC1), colours;
  for (int i = 0; i < 256; ++i) ramp.at<std::uint8_t>(0, i) = static_cast<std::uint8_t>(i);
  if (colour_map >= 0) cv::applyColorMap(ramp, colours, colour_map);
  PaletteTable table;
  for (int i = 0; i < 256; ++i) {
    const auto grey = static_cast<std::uint8_t>(i);
    const cv::Vec3b bgr = colour_map >= 0 ? colours.at<cv::Vec3b>(0, i) : cv::Vec3b(grey, grey, grey);
    table[static_cast<std::size_t>(i)] = {bgr[2], bgr[1], bgr[0]};
  }
  return table;
}

const PaletteTable& palette_named(std::string_view name) {
  static const PaletteTable viridis = make_palette(cv::COLORMAP_VIRIDIS);
  static const PaletteTable turbo = make_palette(cv::COLORMAP_TURBO);
  static const PaletteTable grey = make_palette(-1);
  if (name == "viridis") return viridis;
  if (name == "turbo") return turbo;
  if (name == "grey") return grey;
  throw Error(fmt::format("palette: '{}' is not allowed; expected 'viridis', 'turbo' or 'grey'", name));
}

constexpr int kFont = cv::FONT_HERSHEY_SIMPLEX;
constexpr double kCapitalPx = 21;  // height of a Hershey capital at scale 1
constexpr double kSmallest = 0.6;

int text_thickness(double text_px) {
  return text_px > 24 ? 2 : 1;
}

int width_of(const std::string& text, double text_px) {
  int baseline = 0;
  return cv::getTextSize(text, kFont, text_px / kCapitalPx, text_thickness(text_px), &baseline).width;
}

/// The font has ASCII only.
std::string drawable(const std::string& text) {
  static constexpr std::array<std::array<std::string_view, 2>, 12> kSpellings{{{"°", " deg"},
                                                                               {"×", "x"},
                                                                               {"–", "-"},
                                                                               {"—", "-"},
                                                                               {"−", "-"},
                                                                               {"±", "+-"},
                                                                               {"≥", ">="},
                                                                               {"≤", "<="},
                                                                               {"→", "->"},
                                                                               {"µ", "u"},
                                                                               {"…", "..."},
                                                                               {"²", "2"}}};
  std::string result;
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x80) {
      result.push_back(byte < ' ' && byte != '\n' ? ' ' : text[i]);
      ++i;
      continue;
    }
    const auto found = std::ranges::find_if(kSpellings, [&](const auto& spelling) {
      return text.compare(i, spelling[0].size(), spelling[0]) == 0;
    });
    result += found == kSpellings.end() ? "?" : (*found)[1];
    ++i;
    while (i < text.size() && (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80) ++i;
  }
  return result;
}

/// How many characters of the text, at least one, fit into the width.
std::size_t fitting(const std::string& text, int width_px, double text_px) {
  std::size_t low = 1, high = text.size();
  while (low < high) {
    const std::size_t middle = (low + high + 1) / 2;
    if (width_of(text.substr(0, middle), text_px) <= width_px)
      low = middle;
    else
      high = middle - 1;
  }
  return low;
}

std::vector<std::string> broken(const std::string& text, int width_px, double text_px) {
  std::vector<std::string> lines;
  std::size_t begin = 0;
  while (begin <= text.size()) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string rest = text.substr(begin, end - begin);
    begin = end + 1;
    while (width_of(rest, text_px) > width_px && rest.size() > 1) {
      const std::size_t most = fitting(rest, width_px, text_px);
      std::size_t cut = rest.rfind(' ', most);
      const bool at_blank = cut != std::string::npos && cut > 0;
      if (!at_blank) cut = most;
      lines.push_back(rest.substr(0, cut));
      rest.erase(0, cut + (at_blank ? 1 : 0));
    }
    lines.push_back(rest);
  }
  return lines;
}

}  // namespace

Colour colour_of(std::span<const int> rgb) {
  if (rgb.size() != 3)
    throw Error(fmt::format("colour: {} numbers; expected 3: red, green, blue", rgb.size()));
  const auto channel = [&](std::size_t i) {
    if (rgb[i] < 0 || rgb[i] > 255)
      throw Error(fmt::format("colour: {} is not allowed; expected integers in [0, 255]", rgb[i]));
    return static_cast<std::uint8_t>(rgb[i]);
  };
  return {channel(0), channel(1), channel(2)};
}

Image filled_image(int width, int height, Colour colour) {
  Image image(width, height);
  for (std::size_t i = 0; i < image.rgb.size(); i += 3)
    image.rgb[i] = colour.red, image.rgb[i + 1] = colour.green, image.rgb[i + 2] = colour.blue;
  return image;
}

Colour palette_colour(std::string_view palette, double value) {
  const double index = std::isnan(value) ? 0 : std::clamp(value, 0.0, 1.0) * 255;
  return palette_named(palette)[static_cast<std::size_t>(std::lround(index))];
}

void draw_line(Image& image, Point2 from, Point2 to, Colour colour, int thickness_px) {
  if (!finite(from) || !finite(to)) return;
  const double margin = thickness_px + 1;
  if (!clip(from, to, -margin, -margin, image.width + margin, image.height + margin)) return;
  cv::Mat mat = as_mat(image);
  cv::line(mat, fixed(from), fixed(to), scalar(colour), std::max(1, thickness_px), cv::LINE_AA, kShift);
}

void draw_circle(Image& image, Point2 centre, double radius_px, Colour colour, int thickness_px) {
  const double reach = radius_px + thickness_px;
  if (!finite(centre) || !(radius_px >= 0) || radius_px > 1e6 || centre.x < -reach || centre.y < -reach ||
      centre.x > image.width + reach || centre.y > image.height + reach)
    return;
  cv::Mat mat = as_mat(image);
  cv::circle(mat, fixed(centre), static_cast<int>(std::lround(radius_px * (1 << kShift))), scalar(colour),
             thickness_px < 1 ? cv::FILLED : thickness_px, cv::LINE_AA, kShift);
}

void draw_polygon(Image& image, std::span<const Point2> corners, Colour colour, int thickness_px) {
  for (std::size_t i = 0; i < corners.size(); ++i)
    draw_line(image, corners[i], corners[(i + 1) % corners.size()], colour, thickness_px);
}

void blend(Image& image, const Image& top, double opacity, std::span<const std::uint8_t> valid) {
  const std::size_t pixels = image.rgb.size() / 3;
  if (image.width != top.width || image.height != top.height || (!valid.empty() && valid.size() != pixels))
    throw Error(fmt::format("blend: {} x {} px over {} x {} px, and a mask of {}; expected equal sizes",
                            top.width, top.height, image.width, image.height, valid.size()));
  const int weight = static_cast<int>(std::lround(std::clamp(opacity, 0.0, 1.0) * 256));
  for (std::size_t i = 0; i < pixels; ++i) {
    if (!valid.empty() && valid[i] == 0) continue;
    for (std::size_t c = 3 * i; c < 3 * i + 3; ++c)
      image.rgb[c] =
          static_cast<std::uint8_t>((image.rgb[c] * (256 - weight) + top.rgb[c] * weight + 128) >> 8);
  }
}

TextBlock fit_text(const std::string& text, int width_px, double text_px, int max_lines) {
  const std::string shown = drawable(text);
  TextBlock block;
  block.text_px = text_px;
  block.lines = broken(shown, width_px, block.text_px);
  const auto too_many = [&] { return static_cast<int>(block.lines.size()) > max_lines; };
  while (too_many() && block.text_px > kSmallest * text_px) {
    block.text_px = std::max(kSmallest * text_px, block.text_px * 0.93);
    block.lines = broken(shown, width_px, block.text_px);
  }
  if (too_many()) {
    block.lines.resize(static_cast<std::size_t>(std::max(1, max_lines)));
    std::string& last = block.lines.back();
    while (!last.empty() && width_of(last + "...", block.text_px) > width_px) last.pop_back();
    last += "...";
  }
  block.line_px = static_cast<int>(std::ceil(block.text_px * 1.75));
  return block;
}

void draw_text(Image& image, Point2 top_left, const TextBlock& text, Colour colour) {
  cv::Mat mat = as_mat(image);
  for (std::size_t i = 0; i < text.lines.size(); ++i) {
    const double baseline =
        top_left.y + static_cast<double>(text.line_px) * static_cast<double>(i) + text.text_px * 1.25;
    cv::putText(mat, text.lines[i],
                {static_cast<int>(std::lround(top_left.x)), static_cast<int>(std::lround(baseline))}, kFont,
                text.text_px / kCapitalPx, scalar(colour), text_thickness(text.text_px), cv::LINE_AA);
  }
}

Image draw_heat_map(const Image& image, std::span<const float> values, int rows, int cols,
                    const HeatMapOptions& options) {
  if (rows < 1 || cols < 1 ||
      values.size() != static_cast<std::size_t>(rows) * static_cast<std::size_t>(cols))
    throw Error(fmt::format("heat map: {} values are not a grid of {} x {}", values.size(), rows, cols));
  if (image.empty()) throw Error("heat map: the picture has no pixels");
  double least = std::numeric_limits<double>::infinity(), most = -least;
  for (const float v : values)
    if (std::isfinite(v)) least = std::min<double>(least, v), most = std::max<double>(most, v);
  const double low = options.low.value_or(least), high = options.high.value_or(most);
  // Values and their validity are enlarged apart, so that a cell without value does not spread over its
  // neighbours.
  cv::Mat grid(rows, cols, CV_32FC1), known(rows, cols, CV_32FC1), large, large_known;
  for (int r = 0; r < rows; ++r)
    for (int c = 0; c < cols; ++c) {
      const float v =
          values[static_cast<std::size_t>(r) * static_cast<std::size_t>(cols) + static_cast<std::size_t>(c)];
      known.at<float>(r, c) = std::isfinite(v) ? 1.0f : 0.0f;
      grid.at<float>(r, c) = std::isfinite(v) ? v : 0.0f;
    }
  const int interpolation = options.smooth ? cv::INTER_LINEAR : cv::INTER_NEAREST;
  cv::resize(grid, large, {image.width, image.height}, 0, 0, interpolation);
  cv::resize(known, large_known, {image.width, image.height}, 0, 0, interpolation);
  const PaletteTable& palette = palette_named(options.palette);
  Image colours(image.width, image.height);
  std::vector<std::uint8_t> valid(colours.rgb.size() / 3);
  for (int y = 0; y < image.height; ++y)
    for (int x = 0; x < image.width; ++x) {
      const double weight = large_known.at<float>(y, x);
      if (weight < 0.5) continue;
      const double value = large.at<float>(y, x) / weight;
      const double position = high > low ? std::clamp((value - low) / (high - low), 0.0, 1.0) : 0.0;
      const Colour c = palette[static_cast<std::size_t>(std::lround(position * 255))];
      std::uint8_t* out = colours.pixel(x, y);
      out[0] = c.red, out[1] = c.green, out[2] = c.blue;
      valid[static_cast<std::size_t>(y) * static_cast<std::size_t>(image.width) +
            static_cast<std::size_t>(x)] = 1;
    }
  Image result = image;
  blend(result, colours, options.opacity, valid);
  return result;
}

}  // namespace imatch
