// SPDX-License-Identifier: Apache-2.0
#include "image/decode.h"

#include <unistd.h>

#include <filesystem>
#include "catch.h"

#include "base/error.h"
#include "base/file.h"
#include "exif_block.h"
#include "image/orientation.h"
#include "pictures.h"
#include "scratch.h"

using namespace imatch;
using namespace imatch::testing;
using Catch::Matchers::Contains;

namespace {

/// Code and message of the failure, "" when there was none.
struct Outcome {
  std::string code;
  std::string message;
};

template <class Call>
Outcome outcome(Call call) {
  try {
    call();
  } catch (const Failure& failure) {
    return {failure.code(), failure.what()};
  }
  return {};
}

/// What was written to file descriptor 2 while the scope was open.
class CapturedStderr {
 public:
  explicit CapturedStderr(const Scratch& scratch) : path_(scratch / "stderr") {
    saved_ = ::dup(2);
    FILE* file = std::fopen(path_.c_str(), "w");
    ::dup2(fileno(file), 2);
    std::fclose(file);
  }
  ~CapturedStderr() { end(); }
  std::string end() {
    if (saved_ >= 0) {
      ::dup2(saved_, 2);
      ::close(saved_);
      saved_ = -1;
    }
    return read_file(path_);
  }

 private:
  std::string path_;
  int saved_;
};

/// The picture with its pixel (x, y) as `at(x, y)` says.
template <class At>
Image rearranged(int width, int height, const Image& from, At at) {
  Image image(width, height);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      const auto [sx, sy] = at(x, y);
      std::copy_n(from.pixel(sx, sy), 3, image.pixel(x, y));
    }
  return image;
}

}  // namespace

TEST_CASE("lossless formats come back pixel for pixel, in RGB order") {
  const Image original = noise(37, 23);
  for (const std::string extension : {".png", ".tif", ".bmp"})
    CHECK(max_difference(decode_image(encoded(original, extension), "x"), original) == 0);
  CHECK(max_difference(decode_image(encoded(original, ".webp", {cv::IMWRITE_WEBP_QUALITY, 101}), "x"),
                       original) == 0);
}

TEST_CASE("JPEG and lossy WebP equal OpenCV's decoding") {
  const Image original = waves(157, 93);
  for (const std::string extension : {".jpg", ".webp"}) {
    const std::string bytes = encoded(original, extension, {cv::IMWRITE_JPEG_QUALITY, 90});
    const cv::Mat peer =
        cv::imdecode(std::vector<std::uint8_t>(bytes.begin(), bytes.end()), cv::IMREAD_COLOR);
    CHECK(cv::norm(to_bgr(decode_image(bytes, "x")), peer, cv::NORM_INF) <= 1);
  }
}

TEST_CASE("grey, alpha, 16 bits and progressive JPEG become 8-bit RGB") {
  cv::Mat grey(5, 7, CV_8UC1);
  for (int i = 0; i < 35; ++i) grey.data[i] = static_cast<std::uint8_t>(7 * i);
  for (const std::string extension : {".png", ".tif", ".bmp"}) {
    const Image image = decode_image(encoded(grey, extension), "grey");
    for (int i = 0; i < 35; ++i)
      for (int c = 0; c < 3; ++c) REQUIRE(image.rgb[static_cast<std::size_t>(3 * i + c)] == grey.data[i]);
  }
  cv::Mat alpha(2, 2, CV_8UC4, cv::Scalar(10, 20, 30, 0));
  for (const std::string extension : {".png", ".tif"}) {
    const Image image = decode_image(encoded(alpha, extension), "alpha");
    CHECK(std::vector<int>(image.pixel(1, 1), image.pixel(1, 1) + 3) == std::vector<int>{30, 20, 10});
  }
  cv::Mat wide(1, 3, CV_16UC3);
  wide.at<cv::Vec3w>(0, 0) = {0, 65535, 257};
  wide.at<cv::Vec3w>(0, 1) = {32896, 128, 129};
  wide.at<cv::Vec3w>(0, 2) = {65407, 65406, 1000};
  for (const std::string extension : {".png", ".tif"}) {
    const Image image = decode_image(encoded(wide, extension), "wide");
    CHECK(std::vector<int>(image.rgb.begin(), image.rgb.end()) ==
          std::vector<int>{1, 255, 0, 1, 0, 128, 4, 254, 255});
  }
  cv::Mat wide_grey(1, 2, CV_16UC1);
  wide_grey.at<std::uint16_t>(0, 0) = 51400;
  wide_grey.at<std::uint16_t>(0, 1) = 65535;
  const Image image = decode_image(encoded(wide_grey, ".png"), "wide grey");
  CHECK(std::vector<int>(image.rgb.begin(), image.rgb.end()) ==
        std::vector<int>{200, 200, 200, 255, 255, 255});

  const Image original = waves(64, 48);
  const auto progressive = encoded(original, ".jpg", {cv::IMWRITE_JPEG_PROGRESSIVE, 1});
  CHECK(max_difference(decode_image(progressive, "p"), decode_image(encoded(original, ".jpg"), "b")) == 0);
}

TEST_CASE("each of the eight orientations stands upright, and the header says the upright size") {
  const Scratch scratch;
  const int w = 70, h = 45;
  const std::string jpeg = encoded(waves(w, h), ".jpg", {cv::IMWRITE_JPEG_QUALITY, 95});
  const Image stored = decode_image(jpeg, "stored");
  using P = std::pair<int, int>;
  const Image expected[] = {
      stored,
      rearranged(w, h, stored,
                 [&](int x, int y) {
                   return P{w - 1 - x, y};
                 }),
      rearranged(w, h, stored,
                 [&](int x, int y) {
                   return P{w - 1 - x, h - 1 - y};
                 }),
      rearranged(w, h, stored,
                 [&](int x, int y) {
                   return P{x, h - 1 - y};
                 }),
      rearranged(h, w, stored,
                 [&](int x, int y) {
                   return P{y, x};
                 }),
      rearranged(h, w, stored,
                 [&](int x, int y) {
                   return P{y, h - 1 - x};
                 }),
      rearranged(h, w, stored,
                 [&](int x, int y) {
                   return P{w - 1 - y, h - 1 - x};
                 }),
      rearranged(h, w, stored,
                 [&](int x, int y) {
                   return P{w - 1 - y, x};
                 }),
  };
  for (const bool big_endian : {false, true})
    for (std::uint16_t orientation = 1; orientation <= 8; ++orientation) {
      CAPTURE(orientation, big_endian);
      ExifBlock exif(big_endian);
      exif.add_short(ExifBlock::kMain, 274, orientation);
      const std::string path = scratch / "o.jpg";
      write_file_atomically(path, with_exif(jpeg, exif.bytes()));
      CHECK(max_difference(open_image(path), expected[orientation - 1]) == 0);
      CHECK(image_size(path).width == expected[orientation - 1].width);
      CHECK(image_size(path).height == expected[orientation - 1].height);
      CHECK(max_difference(open_image(path, {.apply_orientation = false}), stored) == 0);
    }
  ExifBlock nonsense;
  nonsense.add_short(ExifBlock::kMain, 274, 9);
  CHECK(max_difference(decode_image(with_exif(jpeg, nonsense.bytes()), "9"), stored) == 0);
}

TEST_CASE("a picture of one pixel is a picture") {
  for (const std::string extension : {".png", ".tif", ".bmp", ".jpg", ".webp"}) {
    const Image image =
        decode_image(encoded(cv::Mat(1, 1, CV_8UC3, cv::Scalar(30, 20, 10)), extension), "one");
    CHECK((image.width == 1 && image.height == 1));
    CHECK(std::abs(image.rgb[0] - 10) <= 6);
  }
}

TEST_CASE("what is not a readable picture file fails with one clear line") {
  const Scratch scratch;
  const auto failure_of = [&](const std::string& name, const std::string& bytes) {
    write_file_atomically(scratch / name, bytes);
    CHECK(outcome([&] { image_size(scratch / name); }).code == code::kBadFormat);
    return outcome([&] { open_image(scratch / name); });
  };
  CHECK(outcome([&] { open_image(scratch / "none.jpg"); }).code == code::kNotFound);
  CHECK(outcome([&] { image_size(scratch / "none.jpg"); }).code == code::kNotFound);
  CHECK(outcome([&] { open_image(scratch.path()); }).code == code::kNotAFile);
  CHECK(outcome([&] { image_size(scratch.path()); }).code == code::kNotAFile);
  const Outcome empty = failure_of("empty.jpg", "");
  CHECK(empty.code == code::kBadFormat);
  CHECK_THAT(empty.message, Contains("empty.jpg") && Contains("empty file"));
  const Outcome text = failure_of("text.jpg", "GIF89a is not read either");
  CHECK(text.code == code::kBadFormat);
  CHECK_THAT(text.message, Contains("text.jpg") && Contains("expected JPEG, PNG, TIFF, WebP or BMP"));
  CHECK(outcome([] {
          decode_image(encoded(cv::Mat(3, 3, CV_32FC1, cv::Scalar(0.5)), ".tif"), "float");
        }).message == "float: 32-bit floating-point samples; expected 1 to 16 bits without sign");
}

TEST_CASE("a file cut off inside of its picture is an error and nothing reaches standard error") {
  const Scratch scratch;
  const Image original = waves(120, 80);
  CapturedStderr captured(scratch);
  const std::vector<std::pair<std::string, std::vector<int>>> kinds = {
      {".jpg", {}},
      {".jpg", {cv::IMWRITE_JPEG_PROGRESSIVE, 1}},
      {".jpg", {cv::IMWRITE_JPEG_RST_INTERVAL, 2}},
      {".png", {}},
      {".tif", {}},
      {".webp", {}},
      {".bmp", {}}};
  std::vector<std::string> wrong;
  for (const auto& [extension, parameters] : kinds) {
    const std::string bytes = encoded(original, extension, parameters);
    for (int part = 0; part < 60; ++part) {
      const std::size_t size = part < 50 ? bytes.size() * static_cast<std::size_t>(part) / 50
                                         : bytes.size() - static_cast<std::size_t>(60 - part);
      // OpenCV puts the TIFF directory last: any cut takes it away.
      // What only lacks its end mark (FF D9 of a JPEG, IEND of a PNG, padding) is whole.
      Image image;
      const Outcome result =
          outcome([&] { image = decode_image(std::string_view(bytes).substr(0, size), "cut"); });
      const bool is_whole = result.code.empty() && bytes.size() - size <= 12 &&
                            max_difference(image, decode_image(bytes, "whole")) == 0;
      if (!is_whole && (result.code != code::kBadFormat || result.message.find('\n') != std::string::npos))
        wrong.push_back(extension + " cut to " + std::to_string(size) + " of " +
                        std::to_string(bytes.size()));
    }
  }
  const std::string printed = captured.end();
  CHECK(wrong == std::vector<std::string>{});
  CHECK(printed == "");
}

TEST_CASE("bytes lost in the middle of a JPEG are an error, stray bytes between segments are not") {
  const std::string bytes = encoded(noise(200, 200), ".jpg");
  const Scratch scratch;
  CapturedStderr captured(scratch);
  const std::string half = bytes.substr(0, bytes.size() / 2);
  const Outcome ended = outcome([&] { decode_image(half + "\xFF\xD9", "ended early"); });
  const Outcome zeroed = outcome([&] { decode_image(half + std::string(bytes.size() / 2, '\0'), "zeroed"); });
  const Image stray =
      decode_image(bytes.substr(0, 20) + "abc" + bytes.substr(20), "stray");  // behind SOI and JFIF
  const std::string printed = captured.end();
  CHECK(ended.code == code::kBadFormat);
  CHECK(zeroed.code == code::kBadFormat);
  CHECK(max_difference(stray, decode_image(bytes, "whole")) == 0);
  CHECK(printed == "");
}

TEST_CASE("stored_from_upright leads from the upright picture to the pixels it was made of") {
  const Image stored = noise(7, 4);
  for (int orientation = 1; orientation <= 8; ++orientation) {
    CAPTURE(orientation);
    const Image turned = upright(stored, orientation);
    const Affine2 to_stored = stored_from_upright(orientation, turned.width, turned.height);
    for (int y = 0; y < turned.height; ++y)
      for (int x = 0; x < turned.width; ++x) {
        const Point2 p = to_stored({x + 0.5, y + 0.5});
        REQUIRE(std::equal(turned.pixel(x, y), turned.pixel(x, y) + 3,
                           stored.pixel(static_cast<int>(p.x), static_cast<int>(p.y))));
      }
  }
}

TEST_CASE("a picture above the limit is refused from its header, before memory is taken") {
  const Scratch scratch;
  // A real PNG header that announces 30000 x 30000; its CRC is wrong, which the decoder would say if it were
  // asked.
  std::string png = encoded(cv::Mat(1, 1, CV_8UC3, cv::Scalar(0)), ".png");
  png.replace(16, 8, std::string("\x00\x00\x75\x30\x00\x00\x75\x30", 8));
  write_file_atomically(scratch / "huge.png", png);
  const Outcome huge = outcome([&] { open_image(scratch / "huge.png"); });
  CHECK(huge.code == code::kTooLarge);
  CHECK_THAT(huge.message,
             Contains("huge.png: 30000 x 30000 pixels are 900.0 megapixels, more than max_megapixels = 400"));
  CHECK(image_size(scratch / "huge.png").width == 30000);

  const std::string small = encoded(waves(100, 100), ".jpg");
  CHECK(outcome([&] { decode_image(small, "s", {.max_megapixels = 0.0099}); }).code == code::kTooLarge);
  CHECK(decode_image(small, "s", {.max_megapixels = 0.01}).width == 100);

  const std::string scans = encoded(waves(64, 48), ".jpg", {cv::IMWRITE_JPEG_PROGRESSIVE, 1});
  CHECK(decode_image(scans, "scans", {.max_scans = 64}).width == 64);
  const auto many = outcome([&] { decode_image(scans, "scans", {.max_scans = 3}); });
  CHECK(many.code == code::kTooLarge);
  CHECK(many.message == "scans: more than max_scans = 3 scans");
}

TEST_CASE("a really large picture is decoded when the limit allows it") {
  const cv::Mat large(1500, 40000, CV_8UC1, cv::Scalar(77));
  const std::string bytes = encoded(large, ".png");
  const Image image = decode_image(bytes, "large");
  CHECK(image.width == 40000);
  CHECK(image.rgb.back() == 77);
}
