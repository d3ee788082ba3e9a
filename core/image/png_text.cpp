// SPDX-License-Identifier: Apache-2.0
#include "image/png_text.h"

#include <zlib.h>

#include <string_view>
#include <utility>

namespace imatch {
namespace {

using namespace std::string_view_literals;

/// Metadata is a few kilobytes; more than this, packed or not, is not looked at.
constexpr std::size_t kLargestText = 16 << 20;
constexpr std::string_view kRawProfile = "Raw profile type ";

/// "" when it is damaged or too large.
std::string inflated(std::string_view packed) {
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) return "";
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string text;
  int result = Z_OK;
  while (result == Z_OK && text.size() < kLargestText) {
    char part[8192];
    stream.next_out = reinterpret_cast<Bytef*>(part);
    stream.avail_out = sizeof(part);
    result = inflate(&stream, Z_NO_FLUSH);
    text.append(part, sizeof(part) - stream.avail_out);
    if (stream.avail_out > 0 && stream.avail_in == 0) break;
  }
  inflateEnd(&stream);
  return result == Z_STREAM_END ? text : "";
}

/// Cuts off what stands before the next NUL, and the NUL.
std::string_view take_word(std::string_view& rest) {
  const std::size_t end = std::min(rest.find('\0'), rest.size());
  const std::string_view word = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return word;
}

/// The text of a chunk whose keyword has been cut off.
std::string text_of_chunk(std::string_view rest, const std::string& type) {
  if (type == "tEXt") return std::string(rest);
  if (type == "zTXt") return rest.starts_with('\0') ? inflated(rest.substr(1)) : "";
  if (rest.size() < 2) return "";
  const bool packed = rest[0] == '\1';
  rest.remove_prefix(2);
  take_word(rest);  // language
  take_word(rest);  // translated keyword
  return packed ? inflated(rest) : std::string(rest);
}

/// "\nexif\n      34\n4578..." -> the bytes.
std::string bytes_of_profile(const std::string& text) {
  std::size_t at = text.find_first_not_of("\n\r ");  // its name
  at = text.find('\n', std::min(at, text.size()));
  at = text.find_first_not_of("\n\r ", std::min(at, text.size()));  // its size
  at = text.find('\n', std::min(at, text.size()));
  std::string bytes;
  int high = -1;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) continue;
    if (high >= 0) bytes.push_back(static_cast<char>(high << 4 | digit));
    high = high >= 0 ? -1 : digit;
  }
  return bytes;
}

/// Bytes that are kept with what reads them.
class OwnedSource : public ByteSource {
 public:
  explicit OwnedSource(std::string bytes) : bytes_(std::move(bytes)), memory_(bytes_) {}
  OwnedSource(const OwnedSource&) = delete;
  OwnedSource& operator=(const OwnedSource&) = delete;
  std::uint64_t size() const override { return bytes_.size(); }
  bool read(std::uint64_t offset, void* out, std::size_t count) const override {
    return memory_.read(offset, out, count);
  }

 private:
  std::string bytes_;
  MemorySource memory_;
};

}  // namespace

void take_png_text(const ByteSource& source, std::uint64_t offset, std::uint64_t size,
                   const std::string& type, PictureHeader& header) {
  if (size > kLargestText) return;
  const auto chunk = source.text(offset, static_cast<std::size_t>(size));
  if (!chunk) return;
  std::string_view rest = *chunk;
  std::string_view keyword = take_word(rest);
  if (keyword == "XML:com.adobe.xmp") {
    if (header.xmp.empty()) header.xmp = text_of_chunk(rest, type);
    return;
  }
  if (!keyword.starts_with(kRawProfile)) return;
  keyword.remove_prefix(kRawProfile.size());
  if (keyword != "exif" && keyword != "APP1" && keyword != "xmp") return;
  std::string bytes = bytes_of_profile(text_of_chunk(rest, type));
  constexpr std::string_view kAppXmp = "http://ns.adobe.com/xap/1.0/\0"sv, kAppExif = "Exif\0\0"sv;
  if (keyword == "xmp" || bytes.starts_with(kAppXmp)) {
    if (header.xmp.empty()) header.xmp = keyword == "xmp" ? bytes : bytes.substr(kAppXmp.size());
    return;
  }
  if (header.exif) return;
  const std::uint64_t begin = bytes.starts_with(kAppExif) ? kAppExif.size() : 0;
  const auto kept = std::make_shared<const OwnedSource>(std::move(bytes));
  header.exif = TiffDirectory::first(*kept, begin);
  header.unpacked.push_back(kept);
}

}  // namespace imatch
