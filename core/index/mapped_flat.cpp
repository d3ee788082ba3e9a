// SPDX-License-Identifier: Apache-2.0
//
// The layout is that of faiss/impl/index_write.cpp: a four-letter code, the header of every index (d int32,
// ntotal int64, two unused int64, is_trained byte, metric int32 and its argument), then the vectors with
// their number of floats in front. An id map is a header of its own, the index inside, and the ids.
#include "index/mapped_flat.h"

#include <fmt/format.h>

#include <cstring>

#include "base/error.h"

namespace imatch {
namespace {

class Cursor {
 public:
  Cursor(const ByteRange& file, const std::string& path) : file_(file), path_(path) {}

  template <class T>
  T read() {
    T value;
    std::memcpy(&value, take(sizeof(T)), sizeof(T));
    return value;
  }
  const std::byte* take(std::size_t count) {
    if (count > file_.size() - at_)
      throw Failure(code::kBadFormat,
                    fmt::format("{}: the index is truncated: {} bytes, at least {} expected", path_,
                                file_.size(), at_ + count));
    const std::byte* from = file_.bytes.data() + at_;
    at_ += count;
    return from;
  }
  std::string four_letters() {
    const auto* from = reinterpret_cast<const char*>(take(4));
    return {from, 4};
  }
  [[noreturn]] void damaged(const char* why) const {
    throw Failure(code::kBadFormat, fmt::format("{}: the index is damaged: {}", path_, why));
  }

 private:
  const ByteRange& file_;
  const std::string& path_;
  std::size_t at_ = 0;
};

struct Header {
  std::int32_t dim;
  std::int64_t count;
  std::int32_t metric;
};

Header read_header(Cursor& cursor) {
  Header header{};
  header.dim = cursor.read<std::int32_t>();
  header.count = cursor.read<std::int64_t>();
  cursor.take(2 * sizeof(std::int64_t) + 1);
  header.metric = cursor.read<std::int32_t>();
  if (header.metric > 1) cursor.take(sizeof(float));
  if (header.dim <= 0 || header.count < 0) cursor.damaged("its header has impossible sizes");
  return header;
}

}  // namespace

std::optional<MappedFlat> map_flat(const std::string& path) {
  MappedFlat result;
  result.file = map_file(path);
  Cursor cursor(result.file, path);
  std::string kind = cursor.four_letters();
  const bool has_ids = kind == "IxMp" || kind == "IxM2";
  if (has_ids) {
    read_header(cursor);
    kind = cursor.four_letters();
  }
  if (kind != "IxFI" && kind != "IxF2") return std::nullopt;
  const Header header = read_header(cursor);
  result.metric = kind == "IxFI" ? Metric::kInnerProduct : Metric::kL2;
  const auto num_floats = cursor.read<std::uint64_t>();
  if (num_floats != static_cast<std::uint64_t>(header.count) * static_cast<std::uint64_t>(header.dim))
    cursor.damaged("its number of values is not that of its vectors");
  if (num_floats > result.file.size()) cursor.take(result.file.size() + 1);
  result.vectors = {
      .bytes = cursor.take(num_floats * sizeof(float)), .count = header.count, .dim = header.dim};
  if (has_ids) {
    if (cursor.read<std::uint64_t>() != static_cast<std::uint64_t>(header.count))
      cursor.damaged("its number of ids is not that of its vectors");
    const auto bytes = static_cast<std::size_t>(header.count) * sizeof(std::int64_t);
    result.ids.resize(static_cast<std::size_t>(header.count));
    const std::byte* from = cursor.take(bytes);
    if (bytes > 0) std::memcpy(result.ids.data(), from, bytes);
  }
  return result;
}

}  // namespace imatch
