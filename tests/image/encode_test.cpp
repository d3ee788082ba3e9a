// SPDX-License-Identifier: Apache-2.0
#include "image/encode.h"

#include <sys/stat.h>

#include <filesystem>
#include "catch.h"

#include "base/error.h"
#include "base/file.h"
#include "image/decode.h"
#include "pictures.h"
#include "scratch.h"

using namespace imatch;
using namespace imatch::testing;
using Catch::Matchers::Contains;

TEST_CASE("every extension writes the format it names") {
  const Scratch scratch;
  const Image image = waves(64, 48);
  for (const std::string extension : {"png", "PNG", "tif", "tiff", "bmp"}) {
    save_image(image, scratch / ("a." + extension));
    CHECK(max_difference(open_image(scratch / ("a." + extension)), image) == 0);
  }
  for (const std::string extension : {"jpg", "jpeg", "JPG", "webp"}) {
    save_image(image, scratch / ("b." + extension), {.quality = 95});
    CHECK(max_difference(open_image(scratch / ("b." + extension)), image) <= 24);
  }
  save_image(image, scratch / "lossless.webp", {.quality = 100});
  CHECK(max_difference(open_image(scratch / "lossless.webp"), image) == 0);
  CHECK(read_file(scratch / "a.PNG").substr(1, 3) == "PNG");
  CHECK(read_file(scratch / "b.JPG").substr(0, 2) == "\xFF\xD8");
}

TEST_CASE("quality and compression change the size of the file") {
  const Image image = noise(64, 64);
  CHECK(encode_image(image, "jpg", {.quality = 20}).size() <
        encode_image(image, "jpg", {.quality = 90}).size() / 2);
  const Image smooth = waves(200, 200);
  CHECK(encode_image(smooth, "webp", {.quality = 20}).size() <
        encode_image(smooth, "webp", {.quality = 95}).size() / 2);
  CHECK(encode_image(smooth, ".png", {.compression = 9}).size() <
        encode_image(smooth, ".png", {.compression = 0}).size() / 2);
}

TEST_CASE("what cannot be written is refused, and leaves nothing behind") {
  const Scratch scratch;
  const Image image = waves(8, 8);
  CHECK_THROWS_WITH(save_image(image, scratch / "a.gif"),
                    Contains("'gif'") && Contains("png, jpg, jpeg, tif, tiff, webp or bmp"));
  CHECK_THROWS_WITH(save_image(image, scratch / "none"), Contains("''"));
  CHECK_THROWS_WITH(save_image(Image(), scratch / "a.png"), Contains("no pixels"));
  CHECK_THROWS_WITH(encode_image(Image(20000, 1), "webp"), Contains("20000 x 1") && Contains("16383"));
  std::filesystem::create_directory(scratch / "folder.png");
  CHECK_THROWS_AS(save_image(image, scratch / "folder.png"), Failure);
  CHECK(std::distance(std::filesystem::directory_iterator(scratch.path()), {}) == 1);
}
