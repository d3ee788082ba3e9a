// SPDX-License-Identifier: Apache-2.0
#include "image/exif.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace imatch {
namespace {

/// Bytes of one value of each TIFF type; 0 for a type that does not exist.
int bytes_of(std::uint16_t type) {
  static constexpr int kBytes[] = {0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8};
  return type < std::size(kBytes) ? kBytes[type] : 0;
}

constexpr std::uint16_t kAscii = 2, kRational = 5, kSignedByte = 6, kSignedShort = 8, kSignedLong = 9,
                        kSignedRational = 10, kFloat = 11, kDouble = 12;
/// A directory has a dozen or two entries; a damaged count must not make it thousands of reads.
constexpr std::uint64_t kMostEntries = 4096;

}  // namespace

std::optional<TiffDirectory> TiffDirectory::first(const ByteSource& source, std::uint64_t base) {
  const bool big_endian = source.has(base, "MM");
  if (!big_endian && !source.has(base, "II")) return {};
  const auto magic = source.integer(base + 2, 2, big_endian);
  const bool big_tiff = magic == 43;
  if (magic != 42 && !big_tiff) return {};
  TiffDirectory directory(source, base, big_endian, big_tiff);
  const auto offset = big_tiff ? directory.u(base + 8, 8) : directory.u(base + 4, 4);
  if (!offset || !directory.read_entries(*offset)) return {};
  return directory;
}

std::optional<TiffDirectory> TiffDirectory::child(std::uint16_t tag) const {
  const auto offset = integer(tag);
  if (!offset || *offset <= 0) return {};
  TiffDirectory directory(*source_, base_, big_endian_, big_tiff_);
  if (!directory.read_entries(static_cast<std::uint64_t>(*offset))) return {};
  return directory;
}

bool TiffDirectory::read_entries(std::uint64_t offset) {
  if (offset > source_->size()) return false;
  const std::uint64_t begin = base_ + offset;
  const auto count = u(begin, big_tiff_ ? 8 : 2);
  if (!count || *count > kMostEntries) return false;
  const std::uint64_t entry_bytes = big_tiff_ ? 20 : 12;
  const int offset_bytes = big_tiff_ ? 8 : 4;
  for (std::uint64_t i = 0; i < *count; ++i) {
    const std::uint64_t at = begin + (big_tiff_ ? 8 : 2) + i * entry_bytes;
    const auto tag = u(at, 2);
    const auto type = u(at + 2, 2);
    const auto values = u(at + 4, offset_bytes);
    if (!tag || !type || !values) break;  // cut off: what came before still holds
    Entry entry{static_cast<std::uint16_t>(*type), *values,
                at + 4 + static_cast<std::uint64_t>(offset_bytes)};
    const auto bytes = static_cast<std::uint64_t>(bytes_of(entry.type));
    if (bytes == 0 || entry.count == 0 || entry.count > source_->size()) continue;
    if (entry.count * bytes > static_cast<std::uint64_t>(offset_bytes)) {
      const auto there = u(entry.offset, offset_bytes);
      if (!there || *there > source_->size()) continue;
      entry.offset = base_ + *there;
    }
    entries_.emplace(static_cast<std::uint16_t>(*tag), entry);
  }
  return true;
}

const TiffDirectory::Entry* TiffDirectory::find(std::uint16_t tag) const {
  const auto found = entries_.find(tag);
  return found == entries_.end() ? nullptr : &found->second;
}

std::optional<double> TiffDirectory::number(std::uint16_t tag, std::uint64_t index) const {
  const Entry* entry = find(tag);
  if (!entry || index >= entry->count) return {};
  const int bytes = bytes_of(entry->type);
  const std::uint64_t at = entry->offset + index * static_cast<std::uint64_t>(bytes);
  const auto as_signed = [](std::uint64_t value, int width) {
    return width == 8 ? static_cast<double>(static_cast<std::int64_t>(value))
                      : static_cast<double>(static_cast<std::int64_t>(value << (64 - 8 * width)) >>
                                            (64 - 8 * width));
  };
  if (entry->type == kRational || entry->type == kSignedRational) {
    const auto top = u(at, 4);
    const auto bottom = u(at + 4, 4);
    if (!top || !bottom || *bottom == 0) return {};
    if (entry->type == kRational) return static_cast<double>(*top) / static_cast<double>(*bottom);
    return as_signed(*top, 4) / as_signed(*bottom, 4);
  }
  const auto value = u(at, bytes);
  if (!value || entry->type == kAscii) return {};
  double result = static_cast<double>(*value);
  if (entry->type == kFloat)
    result = static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(*value)));
  if (entry->type == kDouble) result = std::bit_cast<double>(*value);
  if (entry->type == kSignedByte || entry->type == kSignedShort || entry->type == kSignedLong ||
      entry->type == 17)
    result = as_signed(*value, bytes);
  if (!std::isfinite(result)) return {};
  return result;
}

std::optional<std::int64_t> TiffDirectory::integer(std::uint16_t tag) const {
  const auto value = number(tag);
  if (!value || *value != std::floor(*value) || std::abs(*value) > 9e15) return {};
  return static_cast<std::int64_t>(*value);
}

std::optional<std::string> TiffDirectory::text(std::uint16_t tag) const {
  const Entry* entry = find(tag);
  if (!entry || entry->type != kAscii) return {};
  auto bytes =
      source_->text(entry->offset, static_cast<std::size_t>(std::min<std::uint64_t>(entry->count, 4096)));
  if (!bytes) return {};
  bytes->resize(std::min(bytes->size(), bytes->find('\0')));
  const auto begin = bytes->find_first_not_of(' ');
  if (begin == std::string::npos) return {};
  return bytes->substr(begin, bytes->find_last_not_of(' ') - begin + 1);
}

}  // namespace imatch
