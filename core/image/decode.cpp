// SPDX-License-Identifier: Apache-2.0
#include "image/decode.h"

#include <fmt/format.h>

#include <new>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "image/byte_source.h"
#include "image/orientation.h"
#include "image/picture_header.h"
#include "image/pixels.h"

namespace imatch {
namespace {

void require_acceptable_size(const PictureHeader& header, const DecodeOptions& options,
                             std::uint64_t file_bytes, const std::string& name) {
  const double megapixels = static_cast<double>(header.width) * static_cast<double>(header.height) / 1e6;
  if (megapixels > options.max_megapixels)
    throw Failure(code::kTooLarge,
                  fmt::format("{}: {} x {} pixels are {:.1f} megapixels, more than max_megapixels = {}", name,
                              header.width, header.height, megapixels, options.max_megapixels));
  if (megapixels > 16 && 3e6 * megapixels > options.max_expansion * static_cast<double>(file_bytes))
    throw Failure(code::kTooLarge,
                  fmt::format("{}: {} x {} pixels in a file of {} bytes are more than "
                              "max_expansion = {} bytes of picture for each of the file",
                              name, header.width, header.height, file_bytes, options.max_expansion));
}

Image decode_after_header(std::string_view bytes, const PictureHeader& header, const std::string& name,
                          const DecodeOptions& options) {
  require_acceptable_size(header, options, bytes.size(), name);
  try {
    Image image = decode_pixels(bytes, header, name, options.max_scans);
    return options.apply_orientation ? upright(std::move(image), header.orientation) : image;
  } catch (const std::bad_alloc&) {
    throw Failure(code::kTooLarge, fmt::format("{}: {} x {} pixels do not fit into memory", name,
                                               header.width, header.height));
  }
}

}  // namespace

Image decode_image(std::string_view bytes, const std::string& name, const DecodeOptions& options) {
  const MemorySource source(bytes);
  return decode_after_header(bytes, read_picture_header(source, name), name, options);
}

Image open_image(const std::string& path, const DecodeOptions& options) {
  // The header first: a picture that will be refused is not read.
  const FileSource source(path);
  const PictureHeader header = read_picture_header(source, path);
  require_acceptable_size(header, options, source.size(), path);
  return decode_after_header(read_file(path), header, path, options);
}

ImageSize image_size(const std::string& path) {
  const FileSource source(path);
  const PictureHeader header = read_picture_header(source, path);
  const auto width = static_cast<int>(header.width), height = static_cast<int>(header.height);
  return header.sides_swapped() ? ImageSize{height, width} : ImageSize{width, height};
}

}  // namespace imatch
