// SPDX-License-Identifier: Apache-2.0
#include "render/disturb.h"

#include <cmath>
#include "catch.h"

#include "base/error.h"

using namespace imatch;

namespace {

/// Everywhere one grey; the left quarter is invalid and black.
View plain(int grey, int width = 200, int height = 120) {
  View view;
  view.image = Image(width, height);
  view.valid.assign(static_cast<std::size_t>(width) * static_cast<std::size_t>(height), 255);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      const bool valid = x >= width / 4;
      view.valid[static_cast<std::size_t>(y * width + x)] = valid ? 255 : 0;
      for (int c = 0; c < 3; ++c) view.image.pixel(x, y)[c] = static_cast<std::uint8_t>(valid ? grey : 0);
    }
  return view;
}

struct Statistics {
  double mean = 0, deviation = 0, kurtosis = 0;
};
Statistics statistics(const View& view) {
  double n = 0, sum = 0, square = 0, fourth = 0;
  const auto each = [&](const auto& f) {
    for (std::size_t i = 0; i < view.valid.size(); ++i)
      if (view.valid[i])
        for (std::size_t c = 0; c < 3; ++c) f(static_cast<double>(view.image.rgb[3 * i + c]));
  };
  each([&](double v) { ++n, sum += v; });
  const double mean = sum / n;
  each([&](double v) { square += (v - mean) * (v - mean), fourth += std::pow(v - mean, 4); });
  return {mean, std::sqrt(square / n), fourth / n / (square / n) / (square / n)};
}

}  // namespace

TEST_CASE("disturb: the defaults change nothing") {
  View view = plain(97);
  const std::string before = view.image.digest();
  disturb(view, {});
  CHECK(view.image.digest() == before);
}

TEST_CASE("disturb: tones follow their formulas") {
  const auto tone = [](const DisturbOptions& o) {
    View view = plain(100);
    disturb(view, o);
    CHECK(int{view.image.rgb.front()} == 0);  // invalid stays black
    return std::array<int, 3>{view.image.pixel(150, 60)[0], view.image.pixel(150, 60)[1],
                              view.image.pixel(150, 60)[2]};
  };
  DisturbOptions o;
  o.brightness = 40;
  CHECK(tone(o)[0] == 140);
  o = {};
  o.contrast = 2;
  CHECK(tone(o)[0] == 73);  // 127.5 - 55, rounded
  o = {};
  o.gamma = 2;
  CHECK(tone(o)[0] == 39);  // 255 (100 / 255)^2
  o = {};
  o.colour_gain = {1, 0.5, 3};
  CHECK(tone(o) == std::array<int, 3>{100, 50, 255});
  o.colour_gain = {1, 2};
  CHECK_THROWS_WITH(tone(o), Catch::Contains("colour_gain: 2 numbers"));
}

TEST_CASE("disturb: noise is Gaussian, seeded, and of the deviation asked for") {
  DisturbOptions o;
  o.noise = 12;
  o.seed = 5;
  View a = plain(128, 400, 400);
  disturb(a, o);
  const Statistics s = statistics(a);
  CHECK(s.mean == Approx(128).margin(0.1));
  CHECK(s.deviation == Approx(12).margin(0.1));
  CHECK(s.kurtosis == Approx(3).margin(0.1));
  View again = plain(128, 400, 400);
  disturb(again, o);
  CHECK(again.image.digest() == a.image.digest());
  o.seed = 6;
  View other = plain(128, 400, 400);
  disturb(other, o);
  CHECK(other.image.digest() != a.image.digest());
}

TEST_CASE("disturb: blur does not carry the black of holes into the picture") {
  View view = plain(180);
  DisturbOptions o;
  o.blur_px = 5;
  disturb(view, o);
  const Statistics s = statistics(view);
  CHECK(s.mean == Approx(180).margin(1));
  CHECK(s.deviation < 1);
}

TEST_CASE("disturb: blur spreads an edge by its deviation") {
  View view = plain(0);
  std::fill(view.valid.begin(), view.valid.end(), std::uint8_t{255});
  for (int y = 0; y < 120; ++y)
    for (int x = 100; x < 200; ++x) view.image.pixel(x, y)[0] = 200;
  DisturbOptions o;
  o.blur_px = 4;
  disturb(view, o);
  CHECK(int{view.image.pixel(100 + 3, 60)[0]} ==
        Approx(200 * 0.5 * (1 + std::erf(3.5 / 4 / std::sqrt(2)))).margin(2));
}

TEST_CASE("disturb: JPEG keeps the picture about as it is and the holes black") {
  View view = plain(120);
  for (int y = 0; y < 120; ++y)
    for (int x = 50; x < 200; ++x)
      view.image.pixel(x, y)[1] = static_cast<std::uint8_t>(100 + 30 * ((x / 7 + y / 5) % 2));
  const View before = view;
  DisturbOptions o;
  o.jpeg_quality = 30;
  disturb(view, o);
  CHECK(view.image.digest() != before.image.digest());
  CHECK(statistics(view).mean == Approx(statistics(before).mean).margin(2));
  CHECK(int{view.image.rgb.front()} == 0);
}
