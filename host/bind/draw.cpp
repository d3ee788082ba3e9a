// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "bind/types.h"
#include "binding.h"
#include "image/choose_rectangle.h"
#include "image/draw.h"
#include "image/draw_matches.h"

namespace imatch::host {
namespace draw_bindings {

/// Colour and size of what is drawn.
struct Style {
  std::vector<int> colour{255, 64, 64};
  int thickness_px = 1;
  double radius_px = 3;
  double text_px = 14;
  static constexpr auto fields =
      std::tuple{field("colour", &Style::colour, in_range(0, 255), "Red, green and blue."),
                 field("thickness_px", &Style::thickness_px, in_range(0, 64), "Of lines; 0 fills a circle."),
                 field("radius_px", &Style::radius_px, in_range(0, 10000), "Of circles."),
                 field("text_px", &Style::text_px, in_range(6, 400), "Height of a capital letter.")};
};

/// Correspondences given as plain lists instead of a Matches object.
struct PointPairs {
  std::vector<std::vector<double>> points_a;
  std::vector<std::vector<double>> points_b;
  std::vector<double> similarity;
  static constexpr auto fields =
      std::tuple{field("points_a", &PointPairs::points_a, anything(), "{x, y} each, in pixels of a."),
                 field("points_b", &PointPairs::points_b, anything(), "{x, y} each, in pixels of b."),
                 field("similarity", &PointPairs::similarity, anything(), "A number for each.")};
};

Point2 point_of(const std::vector<double>& xy) {
  if (xy.size() != 2) throw Error(fmt::format("point: {} numbers; expected {{x, y}}", xy.size()));
  return {xy[0], xy[1]};
}

std::vector<Point2> points_of(const std::vector<std::vector<double>>& list) {
  std::vector<Point2> points;
  for (const auto& xy : list) points.push_back(point_of(xy));
  return points;
}

/// A list of lists of numbers at a stack index.
std::vector<std::vector<double>> lists_of_numbers(lua_State* L, int index, const char* what) {
  return detail::read<std::vector<std::vector<double>>>(to_json(L, index, what), what, anything());
}

int matches_picture(lua_State* L) {
  const auto& a = arg<Image>(L, 1);
  const auto& b = arg<Image>(L, 2);
  std::vector<std::uint8_t> inliers;
  if (!is_absent(L, 4))
    for (const bool inlier : detail::read<std::vector<bool>>(to_json(L, 4, "inliers"), "inliers", anything()))
      inliers.push_back(inlier);
  const auto how = options<DrawMatchesOptions>(L, 5, "image.draw_matches options");
  if (is<Matches>(L, 3)) {
    const auto& m = arg<Matches>(L, 3);
    return push(L, draw_matches(a, b, m.points_a, m.points_b, m.similarity, inliers, how));
  }
  const auto pairs = options<PointPairs>(L, 3, "image.draw_matches matches");
  const std::vector<float> similarity(pairs.similarity.begin(), pairs.similarity.end());
  return push(
      L, draw_matches(a, b, points_of(pairs.points_a), points_of(pairs.points_b), similarity, inliers, how));
}

int blend_images(lua_State* L) {
  Image result = arg<Image>(L, 1);
  at::Tensor valid;
  if (!is_absent(L, 4)) valid = arg<at::Tensor>(L, 4).to(at::kCPU, at::kByte).contiguous();
  const auto* mask = valid.defined() ? valid.const_data_ptr<std::uint8_t>() : nullptr;
  blend(result, arg<Image>(L, 2), is_absent(L, 3) ? 0.5 : check_number(L, 3),
        {mask, valid.defined() ? static_cast<std::size_t>(valid.numel()) : 0});
  return push(L, std::move(result));
}

int heat_map(lua_State* L) {
  const at::Tensor values = arg<at::Tensor>(L, 2).to(at::kCPU, at::kFloat).contiguous();
  if (values.dim() != 2)
    throw Error(fmt::format("heat map: {} dimensions; expected 2: rows, columns", values.dim()));
  return push(L, draw_heat_map(arg<Image>(L, 1),
                               {values.const_data_ptr<float>(), static_cast<std::size_t>(values.numel())},
                               static_cast<int>(values.size(0)), static_cast<int>(values.size(1)),
                               options<HeatMapOptions>(L, 3, "Image:heat_map options")));
}

int lines(lua_State* L) {
  Image result = arg<Image>(L, 1);
  const auto style = options<Style>(L, 3, "Image:draw_lines options");
  for (const auto& ends : lists_of_numbers(L, 2, "lines")) {
    if (ends.size() != 4)
      throw Error(fmt::format("line: {} numbers; expected {{x1, y1, x2, y2}}", ends.size()));
    draw_line(result, {ends[0], ends[1]}, {ends[2], ends[3]}, colour_of(style.colour), style.thickness_px);
  }
  return push(L, std::move(result));
}

int circles(lua_State* L) {
  Image result = arg<Image>(L, 1);
  const auto style = options<Style>(L, 3, "Image:draw_circles options");
  for (const Point2 centre : points_of(lists_of_numbers(L, 2, "circles")))
    draw_circle(result, centre, style.radius_px, colour_of(style.colour), style.thickness_px);
  return push(L, std::move(result));
}

int polygon(lua_State* L) {
  Image result = arg<Image>(L, 1);
  const auto style = options<Style>(L, 3, "Image:draw_polygon options");
  draw_polygon(result, points_of(lists_of_numbers(L, 2, "polygon")), colour_of(style.colour),
               style.thickness_px);
  return push(L, std::move(result));
}

int text(lua_State* L) {
  Image result = arg<Image>(L, 1);
  const Point2 top_left{check_number(L, 2), check_number(L, 3)};
  const auto style = options<Style>(L, 5, "Image:draw_text options");
  const int room = std::max(1, result.width - static_cast<int>(std::clamp(top_left.x, 0.0, 65536.0)));
  draw_text(result, top_left, fit_text(check_string(L, 4), room, style.text_px, 1000),
            colour_of(style.colour));
  return push(L, std::move(result));
}

int chosen_rectangle(lua_State* L) {
  const auto chosen =
      choose_rectangle(arg<Image>(L, 1), lua_isnoneornil(L, 2) ? "imatch-lua" : check_string(L, 2));
  if (!chosen) throw Failure("cancelled", "nothing was chosen");
  return push(L, Json{chosen->x, chosen->y, chosen->width, chosen->height});
}

constexpr Binding kFunctions[] = {
    bind<matches_picture>(
        "draw_matches", "image.draw_matches(a, b, matches [, inliers [, options]]) -> Image",
        "Both photos side by side with a line for each match: inliers coloured by "
        "similarity, the best on top, the "
        "others faint. matches: Matches, or { points_a = {{x, y}, ...}, points_b = ..., "
        "similarity = {...} } in pixels "
        "of the original photos. inliers: a boolean for each match; nil: all are.",
        "local a, b = im.image.new(64, 48), im.image.new(64, 48)\n"
        "local m = { points_a = { { 10, 10 } }, points_b = { { 20, 30 } }, similarity = { 0.9 } }\n"
        "print(im.image.draw_matches(a, b, m, { true }, { caption = 'one match' })) --> Image(1600x656)",
        describe_options<DrawMatchesOptions>),
};

constexpr Binding kMethods[] = {
    bind<blend_images>(
        "blend", "Image:blend(top [, opacity [, valid]]) -> Image",
        "This picture mixed with another of the same size, opacity 0 to 1 (0.5), where valid (Tensor "
        "[height, width]) is not 0.",
        "print(im.image.new(8, 8):blend(im.image.new(8, 8, { 255, 255, 255 }), 0.25):pixel(0, 0)) --> 64 64 "
        "64"),
    bind<heat_map>(
        "heat_map", "Image:heat_map(values [, options]) -> Image",
        "A Tensor [rows, columns] laid over the whole picture as colours. Values that are not finite are not "
        "drawn.",
        "local values = im.tensor.from_table { { 0, 1 }, { 2, 3 } }\n"
        "print(im.image.new(64, 48):heat_map(values, { palette = 'viridis' })) --> Image(64x48)",
        describe_options<HeatMapOptions>),
    bind<lines>(
        "draw_lines", "Image:draw_lines(list [, options]) -> Image",
        "A copy with lines { x1, y1, x2, y2 }, antialiased, in pixels.",
        "print(im.image.new(64, 48):draw_lines({ { 0, 0, 64, 48 } }, { thickness_px = 2 })) --> Image(64x48)",
        describe_options<Style>),
    bind<chosen_rectangle>(
        "choose_rectangle", "Image:choose_rectangle([title]) -> { x, y, width, height }",
        "Shows the picture in a window of the X display and lets the user draw a rectangle with the mouse: "
        "in "
        "pixels of the picture, all of it when Enter comes without one. nil, message, code 'cancelled' after "
        "Escape, 'no_display' where there is none.",
        "if not os.getenv 'DISPLAY' then assert(not im.image.new(64, 48):choose_rectangle()) end"),
    bind<circles>("draw_circles", "Image:draw_circles(list [, options]) -> Image",
                  "A copy with circles around { x, y }.",
                  "print(im.image.new(64, 48):draw_circles({ { 32, 24 } }, { radius_px = 8, thickness_px = 0 "
                  "})) --> Image(64x48)",
                  describe_options<Style>),
    bind<polygon>(
        "draw_polygon", "Image:draw_polygon(list [, options]) -> Image",
        "A copy with the closed outline through the points { x, y }.",
        "print(im.image.new(64, 48):draw_polygon { { 5, 5 }, { 60, 5 }, { 30, 40 } }) --> Image(64x48)",
        describe_options<Style>),
    bind<text>("draw_text", "Image:draw_text(x, y, text [, options]) -> Image",
               "A copy with text whose top-left corner is (x, y), broken into lines at the right edge.",
               "print(im.image.new(200, 48):draw_text(4, 4, 'hello', { colour = { 255, 255, 255 } })) --> "
               "Image(200x48)",
               describe_options<Style>),
};

constexpr Type kTypes[] = {more_methods<Image>(kMethods)};

}  // namespace draw_bindings

extern const Module draw_module;
const Module draw_module{"image", "", draw_bindings::kFunctions, draw_bindings::kTypes};

}  // namespace imatch::host
