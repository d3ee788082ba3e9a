// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <zlib.h>

#include <deque>
#include <limits>

#include "base/error.h"
#include "base/file.h"
#include "io/torch_file.h"
#include "io/torch_pickle.h"

namespace imatch {
namespace {

constexpr std::size_t kAlignment = 64;  // torch.load maps the file: tensors begin at multiples of it
constexpr std::size_t kMaxZip = std::numeric_limits<std::uint32_t>::max();

/// An archive whose entries are stored as they are, with their bytes left where they lie.
/// Format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
class StoredZip {
 public:
  explicit StoredZip(std::string path) : path_(std::move(path)) {}

  /// `bytes` must live until write().
  void add(const std::string& name, std::string_view bytes) {
    Entry entry{name, bytes, size_};
    const uLong start = crc32_z(0, nullptr, 0);
    entry.crc = static_cast<std::uint32_t>(
        crc32_z(start, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
    require_room(bytes.size() + 2 * kAlignment + name.size());
    std::string header = "PK\x03\x04";
    const std::size_t fixed = size_ + 30 + name.size() + 4;  // an extra field of two numbers and padding
    entry.padding = (kAlignment - fixed % kAlignment) % kAlignment;
    describe(header, entry);
    number<std::uint16_t>(header, entry.padding + 4);
    header += name;
    header += "FB";
    number<std::uint16_t>(header, entry.padding);
    header.append(entry.padding, 'Z');
    push(std::move(header));
    parts_.push_back(bytes);
    size_ += bytes.size();
    entries_.push_back(std::move(entry));
  }

  void write() {
    const std::size_t directory = size_;
    for (const Entry& entry : entries_) {
      std::string header("PK\x01\x02\0\0", 6);
      describe(header, entry);
      header.append(12, '\0');  // extra field, comment, disk, attributes
      number<std::uint32_t>(header, entry.offset);
      push(header + entry.name);
    }
    require_room(0);
    const std::size_t directory_size = size_ - directory;
    std::string end("PK\x05\x06\0\0\0\0", 8);
    number<std::uint16_t>(end, entries_.size());
    number<std::uint16_t>(end, entries_.size());
    number<std::uint32_t>(end, directory_size);
    number<std::uint32_t>(end, directory);
    number<std::uint16_t>(end, 0);
    push(std::move(end));
    write_file_atomically(path_, parts_);
  }

 private:
  struct Entry {
    std::string name;
    std::string_view bytes;
    std::size_t offset = 0;
    std::uint32_t crc = 0;
    std::size_t padding = 0;
  };

  template <class T>
  static void number(std::string& to, std::size_t value) {
    const T narrow = static_cast<T>(value);
    to.append(reinterpret_cast<const char*>(&narrow), sizeof narrow);
  }

  /// Version 2.0, no flags, stored, 1 January 1980; checksum, sizes, length of the name.
  static void describe(std::string& to, const Entry& entry) {
    number<std::uint16_t>(to, 20);
    number<std::uint16_t>(to, 0);
    number<std::uint16_t>(to, 0);
    number<std::uint16_t>(to, 0);
    number<std::uint16_t>(to, 0x21);
    number<std::uint32_t>(to, entry.crc);
    number<std::uint32_t>(to, entry.bytes.size());
    number<std::uint32_t>(to, entry.bytes.size());
    number<std::uint16_t>(to, entry.name.size());
  }

  void push(std::string text) {
    size_ += text.size();
    parts_.push_back(texts_.emplace_back(std::move(text)));
  }

  void require_room(std::size_t more) const {
    if (size_ + more > kMaxZip || entries_.size() >= std::numeric_limits<std::uint16_t>::max())
      throw Failure(code::kTooLarge,
                    fmt::format("{}: more than 4 GiB or 65535 tensors; at most that is written", path_));
  }

  std::string path_;
  std::size_t size_ = 0;
  std::deque<std::string> texts_;
  std::vector<std::string_view> parts_;
  std::vector<Entry> entries_;
};

}  // namespace

void write_torch_file(const std::string& path, const PlainValue& tree) {
  const TorchPickle pickle = torch_pickle_of(tree);
  StoredZip archive(path);
  archive.add("archive/data.pkl", pickle.bytes);
  archive.add("archive/byteorder", "little");
  for (std::size_t i = 0; i < pickle.storages.size(); ++i) {
    const at::Tensor& storage = pickle.storages[i];
    archive.add(fmt::format("archive/data/{}", i),
                {static_cast<const char*>(storage.const_data_ptr()), storage.nbytes()});
  }
  archive.add("archive/version", "3\n");
  archive.write();
}

}  // namespace imatch
