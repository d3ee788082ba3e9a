// SPDX-License-Identifier: Apache-2.0
#include "image/draw.h"

#include <limits>
#include <numeric>
#include "catch.h"

#include "base/error.h"
#include "image/draw_matches.h"
#include "pictures.h"

using namespace imatch;
using namespace imatch::testing;

namespace {

/// Centre of gravity and amount of the first channel.
struct Mass {
  double total = 0, x = 0, y = 0;
};

Mass mass_of(const Image& image) {
  Mass mass;
  for (int y = 0; y < image.height; ++y)
    for (int x = 0; x < image.width; ++x) {
      const double v = image.pixel(x, y)[0] / 255.0;
      mass.total += v, mass.x += v * (x + 0.5), mass.y += v * (y + 0.5);
    }
  mass.x /= mass.total, mass.y /= mass.total;
  return mass;
}

int count_close(const Image& image, Colour colour, int tolerance) {
  int count = 0;
  for (std::size_t i = 0; i < image.rgb.size(); i += 3)
    count += std::abs(image.rgb[i] - colour.red) <= tolerance &&
             std::abs(image.rgb[i + 1] - colour.green) <= tolerance &&
             std::abs(image.rgb[i + 2] - colour.blue) <= tolerance;
  return count;
}

}  // namespace

TEST_CASE("circles and lines lie where the pixel frame says, in RGB") {
  Image image(60, 40);
  draw_circle(image, {30.25, 18.75}, 6, {255, 0, 0}, 0);
  CHECK(mass_of(image).x == Approx(30.25).margin(0.1));
  CHECK(mass_of(image).y == Approx(18.75).margin(0.1));
  CHECK(mass_of(image).total ==
        Approx(6.5 * 6.5 * 3.14159).epsilon(0.03));  // OpenCV adds half a pixel of edge
  CHECK(std::vector<int>(image.pixel(30, 18), image.pixel(30, 18) + 3) == std::vector<int>{255, 0, 0});
  Image line(60, 40);
  draw_line(line, {10.5, 20.5}, {49.5, 20.5}, {255, 255, 255});
  CHECK(mass_of(line).x == Approx(30).margin(0.2));
  CHECK(mass_of(line).y == Approx(20.5).margin(0.1));
}

TEST_CASE("what lies outside, far away or nowhere does no harm") {
  Image image(20, 20);
  constexpr double kInf = std::numeric_limits<double>::infinity(),
                   kNan = std::numeric_limits<double>::quiet_NaN();
  draw_line(image, {-100, -100}, {-50, 300}, {255, 0, 0});
  draw_line(image, {kNan, 0}, {5, 5}, {255, 0, 0});
  draw_line(image, {0, 0}, {kInf, 5}, {255, 0, 0});
  draw_circle(image, {kNan, 0}, 3, {255, 0, 0});
  draw_circle(image, {1e12, 0}, 3, {255, 0, 0});
  draw_circle(image, {10, 10}, kNan, {255, 0, 0});
  CHECK(std::accumulate(image.rgb.begin(), image.rgb.end(), 0) == 0);
  draw_line(image, {-1e15, 10.5}, {1e15, 10.5}, {255, 0, 0});
  for (int x = 0; x < 20; ++x) REQUIRE(int{image.pixel(x, 10)[0]} > 120);
}

TEST_CASE("palettes: ends, order and names") {
  CHECK(palette_colour("grey", 0.5).red == 128);
  CHECK(palette_colour("viridis", -3).blue == palette_colour("viridis", 0).blue);
  const Colour low = palette_colour("viridis", 0), high = palette_colour("viridis", 1);
  CHECK(std::vector<int>{low.red, low.green, low.blue} ==
        std::vector<int>{68, 1, 84});  // as matplotlib defines it
  CHECK(std::abs(high.red - 253) <= 1);
  CHECK(std::abs(high.green - 231) <= 1);
  CHECK(std::abs(high.blue - 37) <= 1);
  CHECK_THROWS_WITH(palette_colour("jet", 0), Catch::Matchers::Contains("'jet'"));
}

TEST_CASE("text is broken into lines that fit, shrinks, and ends in dots when it must") {
  CHECK(fit_text("one line", 500, 15, 3).lines == std::vector<std::string>{"one line"});
  const TextBlock wrapped = fit_text("several words that do not go into one line of this width", 200, 15, 9);
  CHECK(wrapped.lines.size() > 1);
  std::string together;
  for (const auto& line : wrapped.lines) together += (together.empty() ? "" : " ") + line;
  CHECK(together == "several words that do not go into one line of this width");
  CHECK(wrapped.text_px == 15);
  const TextBlock shrunk = fit_text(std::string(40, 'x'), 500, 20, 1);
  CHECK(shrunk.lines.size() == 1);
  CHECK(shrunk.text_px < 20);
  CHECK(shrunk.lines[0] == std::string(40, 'x'));
  const TextBlock cut = fit_text(std::string(4000, 'x'), 300, 15, 2);
  CHECK(cut.lines.size() == 2);
  CHECK(cut.lines[1].ends_with("x..."));
  CHECK(fit_text("45° – 3×3 ≥ \xE4\xBD\xA0\xFF", 900, 12, 1).lines[0] == "45 deg - 3x3 >= ??");
  CHECK(fit_text("a\nb", 900, 12, 4).lines == std::vector<std::string>{"a", "b"});
  CHECK(fit_text("", 10, 12, 1).lines.size() == 1);
  CHECK(fit_text("wide", 1, 12, 2).lines.size() == 2);

  // Drawn, every line stays inside the width.
  Image canvas(200, wrapped.height());
  draw_text(canvas, {0, 0}, wrapped, {255, 255, 255});
  CHECK(mass_of(canvas).total > 100);
  Image wider(260, wrapped.height());
  draw_text(wider, {0, 0}, wrapped, {255, 255, 255});
  for (int y = 0; y < wider.height; ++y)
    for (int x = 203; x < 260; ++x) REQUIRE(wider.pixel(x, y)[0] == 0);
}

TEST_CASE("blend mixes where the mask says") {
  Image base(2, 1), top(2, 1);
  std::fill(top.rgb.begin(), top.rgb.end(), std::uint8_t{200});
  blend(base, top, 0.5, std::vector<std::uint8_t>{1, 0});
  CHECK(base.rgb == std::vector<std::uint8_t>{100, 100, 100, 0, 0, 0});
  CHECK_THROWS_AS(blend(base, Image(1, 1), 1), Error);
}

TEST_CASE("a heat map has the palette's colours over its cells, and none where there is no value") {
  const Image image(90, 60);
  const std::vector<float> values{0, 1, 2, 3, 4, std::numeric_limits<float>::quiet_NaN()};
  HeatMapOptions options;
  options.opacity = 1;
  options.smooth = false;
  const Image map = draw_heat_map(image, values, 2, 3, options);
  const auto cell = [&](int row, int col) {
    const std::uint8_t* p = map.pixel(col * 30 + 15, row * 30 + 15);
    return std::vector<int>(p, p + 3);
  };
  for (int i = 0; i < 5; ++i) {
    const Colour c = palette_colour("turbo", i / 4.0);
    CHECK(cell(i / 3, i % 3) == std::vector<int>{c.red, c.green, c.blue});
  }
  CHECK(cell(1, 2) == std::vector<int>{0, 0, 0});
  CHECK_THROWS_WITH(draw_heat_map(image, values, 2, 2, options), Catch::Matchers::Contains("6 values"));
  const std::vector<float> equal(4, 5.0f);
  CHECK(draw_heat_map(image, equal, 2, 2, options).rgb[0] == palette_colour("turbo", 0).red);
}

TEST_CASE("matches are drawn between the points, inliers in the palette's colours, outliers faint") {
  const Image a(400, 300), b(300, 300);
  const std::vector<Point2> points_a{{100, 150.5}, {200, 50}}, points_b{{150, 150.5}, {10, 290}};
  const std::vector<float> values{1.0f, 0.2f};
  const std::vector<std::uint8_t> inlier{1, 0};
  DrawMatchesOptions options;
  options.width = 706;  // 700 and the gap: the scale is 1
  options.legend = false;
  const Image picture = draw_matches(a, b, points_a, points_b, values, inlier, options);
  CHECK(picture.width == 706);
  CHECK(picture.height == 300);
  const Colour best = palette_colour("viridis", 1);
  for (int x = 110; x < 545; ++x) {
    if (x >= 398 && x < 408) continue;  // the gap
    const std::uint8_t* p = picture.pixel(x, 150);
    REQUIRE(std::abs(p[0] - best.red) < 100);
    REQUIRE(std::abs(p[1] - best.green) < 100);
  }
  CHECK(count_close(picture, best, 90) > 300);
  // Without the outlier less is drawn; nothing of it is bright.
  options.draw_outliers = false;
  const Image only = draw_matches(a, b, points_a, points_b, values, inlier, options);
  CHECK(max_difference(only, picture) > 30);
  CHECK(max_difference(only, picture) < 120);
  const Image all = draw_matches(a, b, points_a, points_b, values, {}, options);
  CHECK(count_close(all, palette_colour("viridis", 0.2), 40) > 50);
}

TEST_CASE("pair pictures of all shapes, with captions of all lengths") {
  const std::vector<Point2> none;
  for (const auto& [wa, ha, wb, hb] : {std::array{1, 1, 1, 1}, std::array{1, 2000, 2000, 1},
                                       std::array{2000, 1, 1, 2000}, std::array{640, 480, 480, 640}})
    for (const int width : {64, 800}) {
      DrawMatchesOptions options;
      options.width = width;
      options.caption = std::string(5000, 'w');
      const Image picture = draw_matches(Image(wa, ha), Image(wb, hb), none, none, {}, {}, options);
      CHECK(picture.width == width);
      CHECK(picture.height >= 1);
    }
  const std::vector<Point2> one{{1, 1}};
  CHECK_THROWS_WITH(draw_matches(Image(2, 2), Image(2, 2), one, none, {}, {}, {}),
                    Catch::Matchers::Contains("1 and 0 points"));
  CHECK_THROWS_AS(draw_matches(Image(), Image(2, 2), none, none, {}, {}, {}), Error);
}
