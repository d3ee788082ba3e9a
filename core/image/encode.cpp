// SPDX-License-Identifier: Apache-2.0
#include "image/encode.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "image/cv_mat.h"
#include "image/encoders.h"

/// OpenCV's codecs register every driver of GDAL before their first picture, for none that we need. The
/// program's own function, found before libgdal's, saves that time, and drivers whose libraries a package
/// leaves out (packaging/bundle_libraries.py) are not asked.
extern "C" [[gnu::visibility("default")]] void GDALAllRegister() {}

namespace imatch {
namespace {

struct Format {
  std::string_view extension;
  int largest_side;
};

constexpr Format kFormats[] = {{"png", 65536},  {"jpg", 65500},  {"jpeg", 65500}, {"tif", 65536},
                               {"tiff", 65536}, {"webp", 16383}, {"bmp", 65536}};

const Format& format_of(std::string_view extension) {
  std::string name(extension);
  if (name.starts_with('.')) name.erase(0, 1);
  std::ranges::transform(name, name.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto found = std::ranges::find(kFormats, name, &Format::extension);
  if (found == std::end(kFormats))
    throw Error(fmt::format(
        "picture format '{}' is not known; expected png, jpg, jpeg, tif, tiff, webp or bmp", name));
  return *found;
}

}  // namespace

std::vector<std::string> picture_extensions() {
  std::vector<std::string> extensions;
  for (const Format& format : kFormats) extensions.emplace_back(format.extension);
  return extensions;
}

std::string encode_image(const Image& image, std::string_view extension, const EncodeOptions& options) {
  const Format& format = format_of(extension);
  if (image.empty()) throw Error("encode: the picture has no pixels");
  if (std::max(image.width, image.height) > format.largest_side)
    throw Error(fmt::format("encode: {} x {} px do not fit into {}; no side may exceed {} px", image.width,
                            image.height, format.extension, format.largest_side));
  if (format.extension == "png") return encode_png(image, options.compression);
  if (format.extension == "webp") return encode_webp(image, options.quality);
  cv::Mat bgr;
  cv::cvtColor(as_mat(image), bgr, cv::COLOR_RGB2BGR);
  std::vector<int> parameters;
  if (format.extension == "jpg" || format.extension == "jpeg")
    parameters = {cv::IMWRITE_JPEG_QUALITY, options.quality};
  std::vector<std::uint8_t> bytes;
  if (!cv::imencode("." + std::string(format.extension), bgr, bytes, parameters))
    throw Error(fmt::format("encode: {} x {} px could not be written as {}", image.width, image.height,
                            format.extension));
  return {bytes.begin(), bytes.end()};
}

void save_image(const Image& image, const std::string& path, const EncodeOptions& options) {
  write_file_atomically(path, encode_image(image, std::filesystem::path(path).extension().string(), options));
}

}  // namespace imatch
