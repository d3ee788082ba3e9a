// SPDX-License-Identifier: Apache-2.0
#include "image/terminal_picture.h"

#include <fmt/format.h>
#include <sixel/sixel.h>

#include <iterator>
#include <memory>
#include <vector>

#include "base/base64.h"
#include "base/error.h"
#include "image/encode.h"

namespace imatch {
namespace {

std::string kitty_picture(const Image& image) {
  constexpr std::size_t kChunk = 4096;  // the protocol's limit
  const std::string data = base64(encode_image(image, "png"));
  std::string out;
  for (std::size_t at = 0; at < data.size(); at += kChunk)
    out += fmt::format("\x1b_G{}m={};{}\x1b\\", at == 0 ? "a=T,f=100," : "",
                       at + kChunk < data.size() ? 1 : 0, std::string_view(data).substr(at, kChunk));
  return out + "\n";
}

void check_sixel(SIXELSTATUS status) {
  if (SIXEL_FAILED(status)) throw Error(fmt::format("sixel: {}", sixel_helper_format_error(status)));
}

int append_sixels(char* data, int size, void* out) {
  static_cast<std::string*>(out)->append(data, static_cast<std::size_t>(size));
  return 0;
}

std::string sixel_picture(const Image& image) {
  std::string text;
  sixel_output_t* output = nullptr;
  check_sixel(sixel_output_new(&output, append_sixels, &text, nullptr));
  const std::unique_ptr<sixel_output_t, decltype(&sixel_output_unref)> output_owner(output,
                                                                                    sixel_output_unref);
  sixel_dither_t* dither = nullptr;
  check_sixel(sixel_dither_new(&dither, 256, nullptr));
  const std::unique_ptr<sixel_dither_t, decltype(&sixel_dither_unref)> dither_owner(dither,
                                                                                    sixel_dither_unref);
  std::vector<std::uint8_t> pixels = image.rgb;  // dithering writes into them
  check_sixel(sixel_dither_initialize(dither, pixels.data(), image.width, image.height,
                                      SIXEL_PIXELFORMAT_RGB888, SIXEL_LARGE_AUTO, SIXEL_REP_AUTO,
                                      SIXEL_QUALITY_AUTO));
  check_sixel(sixel_encode(pixels.data(), image.width, image.height, 3, dither, output));
  return text + "\n";
}

std::string block_picture(const Image& image) {
  std::string out;
  for (int y = 0; y < image.height; y += 2) {
    for (int x = 0; x < image.width; ++x) {
      const std::uint8_t *upper = image.pixel(x, y),
                         *lower = image.pixel(x, std::min(y + 1, image.height - 1));
      fmt::format_to(std::back_inserter(out), "\x1b[38;2;{};{};{}m\x1b[48;2;{};{};{}m\u2580", upper[0],
                     upper[1], upper[2], lower[0], lower[1], lower[2]);
    }
    out += "\x1b[0m\n";
  }
  return out;
}

}  // namespace

std::string terminal_picture(const Image& image, std::string_view way) {
  if (image.empty()) throw Error("terminal picture: the picture has no pixels");
  if (way == "kitty") return kitty_picture(image);
  if (way == "sixel") return sixel_picture(image);
  if (way == "blocks") return block_picture(image);
  throw Error(fmt::format("terminal picture: '{}' is not known; expected 'kitty', 'sixel' or 'blocks'", way));
}

}  // namespace imatch
