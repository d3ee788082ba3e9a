// SPDX-License-Identifier: Apache-2.0
#include "io/zip_directory.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <unordered_set>

#include "io/byte_reader.h"

namespace imatch {
namespace {

constexpr std::uint32_t kLocalHeader = 0x04034b50;
constexpr std::uint32_t kCentralHeader = 0x02014b50;
constexpr std::uint32_t kZip64EndLocator = 0x07064b50;
constexpr std::uint32_t kZip64End = 0x06064b50;
constexpr std::string_view kEndSignature = "PK\x05\x06";
constexpr std::size_t kEndSize = 22, kZip64LocatorSize = 20;
constexpr std::uint32_t kInZip64 = 0xffffffff;

struct Directory {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  std::uint64_t entries = 0;
};

struct Header {
  std::string name;
  std::uint16_t flags = 0;
  std::uint16_t method = 0;
  std::uint64_t stored_size = 0;
  std::uint64_t size = 0;
  std::uint64_t local_offset = 0;
};

/// The record at the end of the archive; a comment of up to 65535 bytes may follow it.
std::size_t find_end(std::span<const std::byte> bytes, const ByteReader& reader) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const std::size_t found =
      bytes.size() < kEndSize ? std::string_view::npos : text.rfind(kEndSignature, bytes.size() - kEndSize);
  if (found == std::string_view::npos || bytes.size() - found > kEndSize + 65535)
    reader.fail("truncated zip archive: no directory");
  return found;
}

Directory find_directory(std::span<const std::byte> bytes, const std::string& name) {
  ByteReader reader(bytes, name);
  const std::size_t end = find_end(bytes, reader);
  Directory directory;
  reader.seek(end + 10);
  directory.entries = reader.number<std::uint16_t>();
  directory.size = reader.number<std::uint32_t>();
  directory.offset = reader.number<std::uint32_t>();
  if (end >= kZip64LocatorSize) {
    reader.seek(end - kZip64LocatorSize);
    if (reader.number<std::uint32_t>() == kZip64EndLocator) {
      reader.take(4);
      reader.seek(reader.number<std::uint64_t>());
      if (reader.number<std::uint32_t>() != kZip64End) reader.fail("broken zip archive: no zip64 directory");
      reader.take(28);
      directory.entries = reader.number<std::uint64_t>();
      directory.size = reader.number<std::uint64_t>();
      directory.offset = reader.number<std::uint64_t>();
    }
  }
  return directory;
}

/// Sizes and offsets beyond 4 GiB stand in an extra field, those only that do not fit the header.
void read_zip64(std::span<const std::byte> extra, const std::string& name, Header& header) {
  ByteReader reader(extra, name);
  while (reader.left() >= 4) {
    const auto id = reader.number<std::uint16_t>();
    ByteReader field(reader.take(reader.number<std::uint16_t>()), name);
    if (id != 1) continue;
    for (std::uint64_t* number : {&header.size, &header.stored_size, &header.local_offset})
      if (*number == kInZip64) *number = field.number<std::uint64_t>();
  }
}

Header read_central_header(ByteReader& reader, const std::string& name) {
  if (reader.number<std::uint32_t>() != kCentralHeader) reader.fail("broken zip archive: no entry");
  Header header;
  reader.take(4);
  header.flags = reader.number<std::uint16_t>();
  header.method = reader.number<std::uint16_t>();
  reader.take(8);
  header.stored_size = reader.number<std::uint32_t>();
  header.size = reader.number<std::uint32_t>();
  const auto name_size = reader.number<std::uint16_t>();
  const auto extra_size = reader.number<std::uint16_t>();
  const auto comment_size = reader.number<std::uint16_t>();
  reader.take(8);
  header.local_offset = reader.number<std::uint32_t>();
  header.name = reader.text(name_size);
  read_zip64(reader.take(extra_size), name, header);
  reader.take(comment_size);
  return header;
}

/// The local header repeats the name; its extra field may differ (torch pads with it up to 64 bytes).
std::size_t data_offset(ByteReader& reader, const Header& header) {
  reader.seek(header.local_offset);
  if (reader.number<std::uint32_t>() != kLocalHeader)
    reader.fail("broken zip archive: no data of '" + header.name + "'");
  reader.take(22);
  const auto name_size = reader.number<std::uint16_t>();
  const auto extra_size = reader.number<std::uint16_t>();
  reader.take(std::size_t{name_size} + extra_size);
  return reader.position();
}

void refuse_overlap(const std::vector<ZipEntry>& entries, const ByteReader& reader) {
  std::vector<const ZipEntry*> order;
  for (const ZipEntry& entry : entries)
    if (entry.data.size() > 0) order.push_back(&entry);
  const auto by_start = [](const ZipEntry* a, const ZipEntry* b) {
    return a->data.bytes.data() < b->data.bytes.data();
  };
  std::sort(order.begin(), order.end(), by_start);
  for (std::size_t i = 1; i < order.size(); ++i)
    if (order[i]->data.bytes.data() < order[i - 1]->data.bytes.data() + order[i - 1]->data.size())
      reader.fail(fmt::format("broken zip archive: '{}' overlaps '{}'", order[i]->name, order[i - 1]->name));
}

}  // namespace

std::vector<ZipEntry> read_zip_directory(const ByteRange& archive, const std::string& name) {
  const Directory directory = find_directory(archive.bytes, name);
  ByteReader reader(archive.bytes, name);
  reader.seek(directory.offset);
  ByteReader central(reader.take(directory.size), name);
  std::vector<ZipEntry> entries;
  std::unordered_set<std::string> names;
  while (entries.size() < directory.entries) {
    Header header = read_central_header(central, name);
    if (header.flags & 1) central.fail("the entry '" + header.name + "' is encrypted");
    const bool compressed = header.method != 0;
    if (!compressed && header.size != header.stored_size)
      central.fail("broken zip archive: two sizes of '" + header.name + "'");
    if (!names.insert(header.name).second)
      central.fail("broken zip archive: two entries '" + header.name + "'");
    const std::size_t offset = data_offset(reader, header);
    reader.take(header.stored_size);
    ByteRange data = archive.part(offset, static_cast<std::size_t>(header.stored_size));
    entries.push_back({std::move(header.name), std::move(data), compressed});
  }
  refuse_overlap(entries, reader);
  return entries;
}

}  // namespace imatch
