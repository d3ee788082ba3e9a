// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <webp/encode.h>

#include <new>

#include "base/error.h"
#include "base/stop.h"
#include "image/encoders.h"

namespace imatch {
namespace {

struct WebpPicture : WebPPicture {
  WebpPicture() { WebPPictureInit(this); }
  ~WebpPicture() { WebPPictureFree(this); }
  WebpPicture(const WebpPicture&) = delete;
  WebpPicture& operator=(const WebpPicture&) = delete;
};

int append(const std::uint8_t* bytes, std::size_t count, const WebPPicture* picture) {
  static_cast<std::string*>(picture->custom_ptr)->append(reinterpret_cast<const char*>(bytes), count);
  return 1;
}

}  // namespace

std::string encode_webp(const Image& image, int quality) {
  const bool lossless = quality >= 100;
  WebPConfig config;
  constexpr float kLosslessEffort = 70;  // as WebPEncodeLosslessRGB has it
  if (!WebPConfigPreset(&config, WEBP_PRESET_DEFAULT,
                        lossless ? kLosslessEffort : static_cast<float>(quality)))
    throw Error("encode: libwebp is of another version than its header");
  config.lossless = lossless;

  std::string bytes;
  WebpPicture picture;
  picture.use_argb = lossless;
  picture.width = image.width;
  picture.height = image.height;
  picture.writer = append;
  picture.custom_ptr = &bytes;
  picture.progress_hook = [](int, const WebPPicture*) { return stop_requested() ? 0 : 1; };
  if (!WebPPictureImportRGB(&picture, image.rgb.data(), 3 * image.width)) throw std::bad_alloc();
  if (!WebPEncode(&config, &picture)) {
    if (picture.error_code == VP8_ENC_ERROR_USER_ABORT) check_stop();
    throw Error(fmt::format("encode: {} x {} px could not be written as webp, libwebp's error {}",
                            image.width, image.height, static_cast<int>(picture.error_code)));
  }
  return bytes;
}

}  // namespace imatch
