// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <random>
#include "catch.h"

#include "base/error.h"
#include "base/file.h"
#include "exif_block.h"
#include "image/decode.h"
#include "image/metadata.h"
#include "pictures.h"
#include "scratch.h"

using namespace imatch;
using namespace imatch::testing;

namespace {

/// One to a few changes of the sort that disks, networks and malice make.
std::string damaged(std::string bytes, std::mt19937& random) {
  const auto below = [&](std::size_t n) {
    return static_cast<std::size_t>(random() % std::max<std::size_t>(1, n));
  };
  for (std::size_t change = 0; change <= below(4); ++change) {
    if (bytes.empty()) break;
    // Half of the changes hit the headers.
    const std::size_t at =
        random() % 2 ? below(bytes.size()) : below(std::min<std::size_t>(bytes.size(), 400));
    switch (random() % 6) {
      case 0:
        bytes[at] = static_cast<char>(bytes[at] ^ 1 << random() % 8);
        break;
      case 1:
        bytes[at] = static_cast<char>(random());
        break;
      case 2:
        bytes[at] = static_cast<char>(random() % 2 ? 0xFF : 0);
        break;
      case 3:
        bytes.resize(at);
        break;
      case 4:
        bytes.erase(at, 1 + below(16));
        break;
      case 5:
        bytes.insert(at, bytes.substr(below(bytes.size()), 1 + below(32)));
        break;
    }
  }
  return bytes;
}

std::vector<std::string> seeds() {
  const Image image = waves(33, 21);
  ExifBlock exif;
  exif.add_short(ExifBlock::kMain, 274, 6);
  exif.add_text(ExifBlock::kMain, 271, "maker");
  exif.add_rationals(ExifBlock::kGps, 2, {{33, 1}, {51, 1}, {35, 1}});
  exif.add_rationals(ExifBlock::kExif, 37386, {{361, 100}});
  const std::string xmp =
      "<x:xmpmeta><rdf:Description "
      "drone-dji:RelativeAltitude='+3.2'><a:b>1</a:b></rdf:Description></x:xmpmeta>";
  cv::Mat wide(9, 11, CV_16UC3, cv::Scalar(1000, 2000, 60000)), alpha(9, 11, CV_8UC4, cv::Scalar(1, 2, 3, 4));
  return {with_exif(with_xmp(encoded(image, ".jpg"), xmp), exif.bytes()),
          encoded(image, ".jpg", {cv::IMWRITE_JPEG_PROGRESSIVE, 1}),
          encoded(image, ".png"),
          encoded(wide, ".png"),
          encoded(alpha, ".png"),
          encoded(image, ".tif"),
          encoded(wide, ".tif"),
          encoded(image, ".webp"),
          encoded(alpha, ".webp", {cv::IMWRITE_WEBP_QUALITY, 101}),
          encoded(image, ".bmp")};
}

}  // namespace

TEST_CASE(
    "damaged files give a picture or one clear failure, never a crash, and never a word on standard error") {
  const Scratch scratch;
  FILE* file = std::fopen((scratch / "stderr").c_str(), "w");
  const int saved = ::dup(2);
  ::dup2(fileno(file), 2);
  std::mt19937 random(20240607);
  const DecodeOptions options{.max_megapixels = 1};
  int pictures = 0, failures = 0, unclear = 0, metadata = 0;
  for (const std::string& seed : seeds())
    for (int round = 0; round < 400; ++round) {
      const std::string bytes = damaged(seed, random);
      const auto attempt = [&](auto call) {
        try {
          call();
          return true;
        } catch (const Failure& failure) {
          const std::string_view text = failure.what();
          unclear += !text.starts_with("bad") && text.find("/bad") == std::string_view::npos;
          unclear += text.find('\n') != std::string_view::npos;
          return false;
        }
      };
      if (attempt([&] { unclear += decode_image(bytes, "bad", options).empty(); }))
        ++pictures;
      else
        ++failures;
      if (round % 4 != 0) continue;  // files are slower than memory
      write_file_atomically(scratch / "bad", bytes, false);
      metadata += attempt([&] { read_metadata(scratch / "bad"); });
      attempt([&] { image_size(scratch / "bad"); });
    }
  std::fflush(stderr);
  ::dup2(saved, 2);
  ::close(saved);
  std::fclose(file);
  CHECK(read_file(scratch / "stderr") == "");
  CHECK(unclear == 0);
  CHECK(pictures > 200);  // both outcomes are really tried
  CHECK(failures > 1000);
  CHECK(metadata > 100);
}
