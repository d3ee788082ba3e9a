// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace imatch::testing {

/// Builds EXIF blocks byte by byte from the TIFF 6.0 specification, in either byte order.
class ExifBlock {
 public:
  explicit ExifBlock(bool big_endian = false) : big_endian_(big_endian) {}

  using Rationals = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

  void add_short(int directory, std::uint16_t tag, std::uint16_t value) {
    list(directory).push_back({tag, 3, 1, number(value, 2)});
  }
  void add_byte(int directory, std::uint16_t tag, std::uint8_t value) {
    list(directory).push_back({tag, 1, 1, number(value, 1)});
  }
  void add_text(int directory, std::uint16_t tag, std::string text) {
    text.push_back('\0');
    const auto count = static_cast<std::uint32_t>(text.size());
    list(directory).push_back({tag, 2, count, std::move(text)});
  }
  void add_rationals(int directory, std::uint16_t tag, const Rationals& values) {
    std::string bytes;
    for (const auto& [top, bottom] : values) bytes += number(top, 4) + number(bottom, 4);
    list(directory).push_back({tag, 5, static_cast<std::uint32_t>(values.size()), bytes});
  }

  static constexpr int kMain = 0, kExif = 1, kGps = 2;

  /// "II*\0..." with the main directory and, when they have entries, the EXIF and GPS directories behind it.
  std::string bytes() const {
    auto main = lists_[kMain];
    const std::uint32_t children = static_cast<std::uint32_t>(!lists_[kExif].empty()) + !lists_[kGps].empty();
    std::uint32_t begin = 8 + size_of(main) + children * 12;
    if (!lists_[kExif].empty()) {
      main.push_back({34665, 4, 1, number(begin, 4)});
      begin += size_of(lists_[kExif]);
    }
    if (!lists_[kGps].empty()) main.push_back({34853, 4, 1, number(begin, 4)});
    std::string result = (big_endian_ ? "MM" : "II") + number(42, 2) + number(8, 4);
    append(result, main);
    if (!lists_[kExif].empty()) append(result, lists_[kExif]);
    if (!lists_[kGps].empty()) append(result, lists_[kGps]);
    return result;
  }

 private:
  struct Entry {
    std::uint16_t tag;
    std::uint16_t type;
    std::uint32_t count;
    std::string value;
  };

  std::vector<Entry>& list(int directory) { return lists_[directory]; }

  std::string number(std::uint32_t value, int bytes) const {
    std::string text;
    for (int i = 0; i < bytes; ++i)
      text.push_back(static_cast<char>(value >> 8 * (big_endian_ ? bytes - 1 - i : i)));
    return text;
  }
  static std::uint32_t size_of(const std::vector<Entry>& entries) {
    std::size_t size = 6 + 12 * entries.size();
    for (const Entry& e : entries) size += e.value.size() > 4 ? e.value.size() : 0;
    return static_cast<std::uint32_t>(size);
  }
  void append(std::string& result, const std::vector<Entry>& entries) const {
    auto data = static_cast<std::uint32_t>(result.size() + 6 + 12 * entries.size());
    std::string values;
    result += number(static_cast<std::uint32_t>(entries.size()), 2);
    for (const Entry& e : entries) {
      result += number(e.tag, 2) + number(e.type, 2) + number(e.count, 4);
      if (e.value.size() <= 4) {
        result += e.value + std::string(4 - e.value.size(), '\0');
      } else {
        result += number(data, 4);
        data += static_cast<std::uint32_t>(e.value.size());
        values += e.value;
      }
    }
    result += number(0, 4) + values;
  }

  bool big_endian_;
  std::vector<Entry> lists_[3];
};

/// A JPEG with an APP1 segment put behind its start marker.
inline std::string with_app1(const std::string& jpeg, std::string_view prefix, const std::string& block) {
  const std::size_t length = prefix.size() + block.size() + 2;
  std::string segment = "\xFF\xE1";
  segment.push_back(static_cast<char>(length >> 8));
  segment.push_back(static_cast<char>(length & 0xFF));
  return jpeg.substr(0, 2) + segment + std::string(prefix) + block + jpeg.substr(2);
}

inline std::string with_exif(const std::string& jpeg, const std::string& block) {
  return with_app1(jpeg, std::string_view("Exif\0\0", 6), block);
}

inline std::string with_xmp(const std::string& jpeg, const std::string& packet) {
  return with_app1(jpeg, std::string_view("http://ns.adobe.com/xap/1.0/\0", 29), packet);
}

}  // namespace imatch::testing
