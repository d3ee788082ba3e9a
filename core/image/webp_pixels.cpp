// SPDX-License-Identifier: Apache-2.0
#include <webp/decode.h>
#include <webp/demux.h>

#include <algorithm>
#include <memory>

#include "base/error.h"
#include "image/pixels.h"

namespace imatch {
namespace {

/// The first picture of an animation, on its canvas.
Image first_of_animation(const WebPData& data, const PictureHeader& header, const std::string& name) {
  WebPAnimDecoderOptions options;
  if (!WebPAnimDecoderOptionsInit(&options)) fail_damaged(name, "another version of libwebp");
  const std::unique_ptr<WebPAnimDecoder, void (*)(WebPAnimDecoder*)> decoder(
      WebPAnimDecoderNew(&data, &options), WebPAnimDecoderDelete);
  WebPAnimInfo info;
  if (!decoder || !WebPAnimDecoderGetInfo(decoder.get(), &info)) fail_damaged(name, "no readable animation");
  require_size(header, info.canvas_width, info.canvas_height, name);
  std::uint8_t* rgba = nullptr;
  int ends_ms = 0;
  if (!WebPAnimDecoderGetNext(decoder.get(), &rgba, &ends_ms))
    fail_damaged(name, "no readable first picture");
  Image image(static_cast<int>(header.width), static_cast<int>(header.height));
  for (std::size_t i = 0; i < image.rgb.size() / 3; ++i)
    std::copy_n(rgba + 4 * i, 3, image.rgb.data() + 3 * i);
  return image;
}

}  // namespace

Image webp_pixels(std::string_view bytes, const PictureHeader& header, const std::string& name) {
  const WebPData data{reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
  WebPBitstreamFeatures features;
  if (const VP8StatusCode status = WebPGetFeatures(data.bytes, data.size, &features); status != VP8_STATUS_OK)
    fail_damaged(
        name, status == VP8_STATUS_NOT_ENOUGH_DATA ? "the file ends before its picture" : "no WebP picture");
  if (features.has_animation) return first_of_animation(data, header, name);
  require_size(header, features.width, features.height, name);
  Image image(features.width, features.height);
  if (!WebPDecodeRGBInto(data.bytes, data.size, image.rgb.data(), image.rgb.size(), 3 * image.width))
    fail_damaged(name, "unreadable pixels");
  return image;
}

}  // namespace imatch
