// SPDX-License-Identifier: Apache-2.0
//
// libjpeg's error handler and its monitor throw through libjpeg's own frames, which have unwind tables on
// every Linux that the program runs on (as LuaJIT's have); all that libjpeg holds is freed by
// jpeg_destroy_decompress.
#include <cstdio>  // jpeglib.h needs it

#include <fmt/format.h>
#include <jpeglib.h>

#include <array>
#include <vector>

#include "base/error.h"
#include "base/stop.h"
#include "image/pixels.h"

namespace imatch {
namespace {

class JpegDecoder {
 public:
  JpegDecoder(std::string_view bytes, const std::string& name, int max_scans)
      : bytes_(bytes), name_(name), max_scans_(max_scans) {
    jpeg_.err = jpeg_std_error(&errors_);
    errors_.error_exit = [](j_common_ptr jpeg) { fail_damaged(of(jpeg).name_, message_of(jpeg)); };
    errors_.emit_message = [](j_common_ptr jpeg, int level) {
      if (level >= 0) return;
      const std::string message = message_of(jpeg);
      if (means_broken_jpeg(message)) fail_damaged(of(jpeg).name_, message);
    };
    jpeg_.client_data = this;
    jpeg_create_decompress(&jpeg_);
    monitor_.progress_monitor = [](j_common_ptr jpeg) {
      check_stop();
      const JpegDecoder& decoder = of(jpeg);
      if (reinterpret_cast<j_decompress_ptr>(jpeg)->input_scan_number > decoder.max_scans_)
        throw Failure(code::kTooLarge,
                      fmt::format("{}: more than max_scans = {} scans", decoder.name_, decoder.max_scans_));
    };
    jpeg_.progress = &monitor_;
    source_.init_source = [](j_decompress_ptr) {};
    source_.term_source = [](j_decompress_ptr) {};
    source_.resync_to_restart = jpeg_resync_to_restart;
    source_.fill_input_buffer = [](j_decompress_ptr jpeg) -> boolean {
      static constexpr JOCTET kEnd[] = {0xFF, JPEG_EOI};
      of(reinterpret_cast<j_common_ptr>(jpeg)).ran_out_ = true;
      jpeg->src->next_input_byte = kEnd;
      jpeg->src->bytes_in_buffer = 2;
      return TRUE;
    };
    source_.skip_input_data = [](j_decompress_ptr jpeg, long count) {
      while (count > static_cast<long>(jpeg->src->bytes_in_buffer)) {
        count -= static_cast<long>(jpeg->src->bytes_in_buffer);
        if (of(reinterpret_cast<j_common_ptr>(jpeg)).ran_out_) return;
        jpeg->src->fill_input_buffer(jpeg);
      }
      jpeg->src->next_input_byte += count;
      jpeg->src->bytes_in_buffer -= static_cast<std::size_t>(count);
    };
    source_.next_input_byte = reinterpret_cast<const JOCTET*>(bytes.data());
    source_.bytes_in_buffer = bytes.size();
    jpeg_.src = &source_;
  }
  ~JpegDecoder() { jpeg_destroy_decompress(&jpeg_); }
  JpegDecoder(const JpegDecoder&) = delete;
  JpegDecoder& operator=(const JpegDecoder&) = delete;

  Image read(const PictureHeader& header) {
    jpeg_read_header(&jpeg_, TRUE);
    require_size(header, jpeg_.image_width, jpeg_.image_height, name_);
    const bool cmyk = jpeg_.num_components == 4;
    jpeg_.out_color_space = cmyk ? JCS_CMYK : JCS_RGB;
    jpeg_start_decompress(&jpeg_);
    Image image(static_cast<int>(header.width), static_cast<int>(header.height));
    std::vector<std::uint8_t> inks(cmyk ? 4 * static_cast<std::size_t>(image.width) : 0);
    for (int y = 0; y < image.height; ++y) {
      JSAMPROW row = cmyk ? inks.data() : image.pixel(0, y);
      jpeg_read_scanlines(&jpeg_, &row, 1);
      if (cmyk) convert(inks, image.pixel(0, y));
    }
    require_every_row();
    return image;
  }

 private:
  static JpegDecoder& of(j_common_ptr jpeg) { return *static_cast<JpegDecoder*>(jpeg->client_data); }
  static std::string message_of(j_common_ptr jpeg) {
    std::array<char, JMSG_LENGTH_MAX> text{};
    jpeg->err->format_message(jpeg, text.data());
    return text.data();
  }

  /// Four inks are stored inverted, as Adobe's programs have it and every reader expects.
  static void convert(const std::vector<std::uint8_t>& inks, std::uint8_t* rgb) {
    for (std::size_t i = 0; i < inks.size(); i += 4, rgb += 3) {
      const std::uint8_t full[] = {
          static_cast<std::uint8_t>(255 - inks[i]), static_cast<std::uint8_t>(255 - inks[i + 1]),
          static_cast<std::uint8_t>(255 - inks[i + 2]), static_cast<std::uint8_t>(255 - inks[i + 3])};
      rgb_from_cmyk(full, rgb);
    }
  }

  /// A file may end without its end-of-image marker, or with something else behind the picture, if all of the
  /// picture came before.
  void require_every_row() const {
    for (int c = 0; c < jpeg_.num_components; ++c)
      if (!jpeg_.comp_info[c].quant_table) fail_damaged(name_, "a colour without data");
    if (jpeg_.progressive_mode && ran_out_)
      for (int c = 0; c < jpeg_.num_components; ++c)
        for (int k = 0; k < DCTSIZE2; ++k)
          if (jpeg_.coef_bits[c][k] != 0)
            fail_damaged(name_, "the last scans of a progressive JPEG are missing");
    // Where the rest of a file was never written it is one byte repeated, often 0, which decodes as
    // something.
    const std::size_t rest = ran_out_ ? 0 : source_.bytes_in_buffer;
    const std::size_t fill = bytes_.size() - 1 - bytes_.find_last_not_of(bytes_.back());
    constexpr std::size_t kReadAhead = 32;  // that the entropy decoder holds, and restart markers
    if (rest + kReadAhead < fill) fail_damaged(name_, "the end of the file is filled with one value");
  }

  const std::string_view bytes_;
  const std::string& name_;
  const int max_scans_;
  jpeg_decompress_struct jpeg_{};
  jpeg_error_mgr errors_{};
  jpeg_progress_mgr monitor_{};
  jpeg_source_mgr source_{};
  bool ran_out_ = false;
};

}  // namespace

Image jpeg_pixels(std::string_view bytes, const PictureHeader& header, const std::string& name,
                  int max_scans) {
  return JpegDecoder(bytes, name, max_scans).read(header);
}

}  // namespace imatch
