// SPDX-License-Identifier: Apache-2.0
#include "train/event_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <chrono>

#include "base/error.h"
#include "base/file.h"

namespace imatch {
namespace {

// Protocol buffers: https://protobuf.dev/programming-guides/encoding

void varint(std::string& to, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) to += static_cast<char>(value | 0x80);
  to += static_cast<char>(value);
}

void whole(std::string& to, int field, std::uint64_t value) {
  varint(to, static_cast<std::uint64_t>(field) << 3);
  varint(to, value);
}

template <class Bits>
void fixed(std::string& to, int field, Bits bits) {
  varint(to, static_cast<std::uint64_t>(field) << 3 | (sizeof bits == 8 ? 1 : 5));
  to.append(reinterpret_cast<const char*>(&bits), sizeof bits);
}

void text(std::string& to, int field, std::string_view bytes) {
  varint(to, static_cast<std::uint64_t>(field) << 3 | 2);
  varint(to, bytes.size());
  to += bytes;
}

constexpr std::array<std::uint32_t, 256> kCrcTable = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78U : 0U);
    table[i] = crc;
  }
  return table;
}();

void checksum(std::string& to, std::string_view bytes) {
  const std::uint32_t crc = crc32c(bytes);
  const std::uint32_t masked = std::rotr(crc, 15) + 0xa282ead8U;
  to.append(reinterpret_cast<const char*>(&masked), sizeof masked);
}

std::string framed(std::string_view event) {
  const std::uint64_t size = event.size();
  std::string record(reinterpret_cast<const char*>(&size), sizeof size);
  checksum(record, std::string(record));
  record += event;
  checksum(record, event);
  return record;
}

double now_s() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  std::uint32_t crc = 0xffffffffU;
  for (const char byte : bytes) crc = kCrcTable[(crc ^ static_cast<std::uint8_t>(byte)) & 0xff] ^ crc >> 8;
  return crc ^ 0xffffffffU;
}

EventFile::EventFile(const std::string& folder)
    : file_((make_folder(folder),
             fmt::format("{}/events.out.tfevents.{:.0f}.{}", folder, now_s() * 1000, ::getpid())),
            true) {
  std::string event;
  fixed(event, 1, std::bit_cast<std::uint64_t>(now_s()));
  text(event, 3, "brain.Event:2");
  file_.add(framed(event));
  flush();
}

/// An event with one value of a summary.
void EventFile::add(std::int64_t step, std::string_view field, std::string_view content) {
  std::string value, summary, event;
  text(value, 1, field);
  value += content;
  text(summary, 1, value);
  fixed(event, 1, std::bit_cast<std::uint64_t>(now_s()));
  whole(event, 2, static_cast<std::uint64_t>(step));
  text(event, 5, summary);
  file_.add(framed(event));
}

void EventFile::scalar(std::int64_t step, std::string_view tag, double value) {
  std::string content;
  fixed(content, 2, std::bit_cast<std::uint32_t>(static_cast<float>(value)));
  add(step, tag, content);
}

void EventFile::picture(std::int64_t step, std::string_view tag, int width, int height,
                        std::string_view png) {
  std::string image, content;
  whole(image, 1, static_cast<std::uint64_t>(height));
  whole(image, 2, static_cast<std::uint64_t>(width));
  whole(image, 3, 3);  // RGB
  text(image, 4, png);
  text(content, 4, image);
  add(step, tag, content);
}

void EventFile::flush() {
  file_.flush();
}

}  // namespace imatch
