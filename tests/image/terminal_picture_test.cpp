// SPDX-License-Identifier: Apache-2.0
#include "image/terminal_picture.h"

#include <sixel/sixel.h>

#include <cstdlib>

#include "base/base64.h"
#include "base/error.h"
#include "catch.h"
#include "image/decode.h"
#include "image/draw.h"

using namespace imatch;

TEST_CASE("sixels are read back by libsixel's decoder with the picture's size and colours") {
  Image image = filled_image(9, 7, {255, 0, 0});
  for (int x = 0; x < 9; ++x) image.pixel(x, 6)[2] = 255;
  const std::string text = terminal_picture(image, "sixel");
  CHECK(text.starts_with("\x1bP"));
  CHECK(text.ends_with("\x1b\\\n"));
  std::string bytes = text.substr(0, text.size() - 1);
  unsigned char *pixels = nullptr, *palette = nullptr;
  int width = 0, height = 0, colours = 0;
  REQUIRE(SIXEL_SUCCEEDED(sixel_decode_raw(reinterpret_cast<unsigned char*>(bytes.data()),
                                           static_cast<int>(bytes.size()), &pixels, &width, &height, &palette,
                                           &colours, nullptr)));
  CHECK(width == 9);
  CHECK(height >= 7);                                                        // whole bands of six rows
  const auto has_colour = [&](int x, int y, int red, int green, int blue) {  // libsixel keeps five bits
    const unsigned char* rgb = palette + 3 * pixels[y * width + x];
    return std::abs(rgb[0] - red) <= 8 && std::abs(rgb[1] - green) <= 8 && std::abs(rgb[2] - blue) <= 8;
  };
  CHECK(has_colour(0, 0, 255, 0, 0));
  CHECK(has_colour(8, 5, 255, 0, 0));
  CHECK(has_colour(4, 6, 255, 0, 255));
  std::free(pixels);
  std::free(palette);
}

TEST_CASE("kitty gets a PNG in chunks of 4096 digits, of which the last is marked") {
  Image image(300, 200);
  for (std::size_t i = 0; i < image.rgb.size(); ++i)
    image.rgb[i] = static_cast<std::uint8_t>(i * 2654435761u >> 13);
  const std::string text = terminal_picture(image, "kitty");
  CHECK(text.starts_with("\x1b_Ga=T,f=100,m=1;" + base64("\x89PNG\r\n").substr(0, 8)));
  CHECK(text.rfind("\x1b_Gm=0;") != std::string::npos);
  for (std::size_t at = 0; (at = text.find(';', at)) != std::string::npos; ++at)
    CHECK(text.find("\x1b\\", at) - at - 1 <= 4096);
}

TEST_CASE("blocks hold two rows a line; the last odd row stands alone") {
  Image image = filled_image(1, 3, {1, 2, 3});
  image.pixel(0, 1)[0] = 200;
  CHECK(terminal_picture(image, "blocks") ==
        "\x1b[38;2;1;2;3m\x1b[48;2;200;2;3m\u2580\x1b[0m\n"
        "\x1b[38;2;1;2;3m\x1b[48;2;1;2;3m\u2580\x1b[0m\n");
}

TEST_CASE("another way and an empty picture are errors") {
  CHECK_THROWS_WITH(terminal_picture(Image(1, 1), "ascii"), Catch::Contains("'kitty', 'sixel' or 'blocks'"));
  CHECK_THROWS_AS(terminal_picture(Image(), "blocks"), Error);
}
