// SPDX-License-Identifier: Apache-2.0
#include "backbone/onnx_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <span>
#include <string_view>

#include "io/byte_reader.h"
#include "io/mapped_file.h"

namespace imatch {
namespace {

enum class OnnxMessage { kModel, kGraph, kFunction, kNode, kAttribute, kTensor, kSparseTensor, kKeyAndValue };

/// The messages on the way to external data.
struct OnnxChild {
  OnnxMessage parent;
  std::uint64_t field;
  OnnxMessage child;
};
constexpr OnnxChild kOnnxChildren[] = {
    {OnnxMessage::kModel, 7, OnnxMessage::kGraph},
    {OnnxMessage::kModel, 25, OnnxMessage::kFunction},
    {OnnxMessage::kGraph, 1, OnnxMessage::kNode},
    {OnnxMessage::kGraph, 5, OnnxMessage::kTensor},
    {OnnxMessage::kGraph, 15, OnnxMessage::kSparseTensor},
    {OnnxMessage::kFunction, 7, OnnxMessage::kNode},
    {OnnxMessage::kNode, 5, OnnxMessage::kAttribute},
    {OnnxMessage::kAttribute, 5, OnnxMessage::kTensor},
    {OnnxMessage::kAttribute, 6, OnnxMessage::kGraph},
    {OnnxMessage::kAttribute, 10, OnnxMessage::kTensor},
    {OnnxMessage::kAttribute, 11, OnnxMessage::kGraph},
    {OnnxMessage::kAttribute, 22, OnnxMessage::kSparseTensor},
    {OnnxMessage::kAttribute, 23, OnnxMessage::kSparseTensor},
    {OnnxMessage::kSparseTensor, 1, OnnxMessage::kTensor},
    {OnnxMessage::kSparseTensor, 2, OnnxMessage::kTensor},
    {OnnxMessage::kTensor, 13, OnnxMessage::kKeyAndValue},
};
constexpr int kDeepestOnnx = 200;

/// Walks over protobuf's wire format. Source: protobuf.dev, "Encoding".
class OnnxWalk {
 public:
  explicit OnnxWalk(const std::string& path) : path_(path) {}

  void message(std::span<const std::byte> bytes, OnnxMessage kind, int depth) {
    ByteReader reader(bytes, path_);
    if (depth > kDeepestOnnx) reader.fail("graphs inside of graphs without an end");
    std::string_view key, value;
    while (!reader.at_end()) {
      const std::uint64_t tag = varint(reader);
      switch (tag & 7) {
        case 0:
          varint(reader);
          break;
        case 1:
          reader.take(8);
          break;
        case 5:
          reader.take(4);
          break;
        case 2: {
          const std::span<const std::byte> part = reader.take(varint(reader));
          if (kind == OnnxMessage::kKeyAndValue) (tag >> 3 == 1 ? key : value) = text_of(part);
          for (const OnnxChild& child : kOnnxChildren)
            if (child.parent == kind && child.field == tag >> 3) message(part, child.child, depth + 1);
          found_graph_ = found_graph_ || (kind == OnnxMessage::kModel && tag >> 3 == 7);
          break;
        }
        default:
          reader.fail("no ONNX model");
      }
    }
    if (key != "location") return;
    const std::filesystem::path file(value);
    if (value.empty() || file.is_absolute() || std::find(file.begin(), file.end(), "..") != file.end())
      reader.fail(fmt::format("the tensors' file '{}' is not in the model's folder", value));
    files_.emplace(value);
  }

  bool found_graph() const { return found_graph_; }
  std::vector<std::string> files() const { return {files_.begin(), files_.end()}; }

 private:
  static std::string_view text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  static std::uint64_t varint(ByteReader& reader) {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto byte = reader.number<std::uint8_t>();
      value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    reader.fail("no ONNX model: a number without an end");
  }

  const std::string& path_;
  std::set<std::string> files_;
  bool found_graph_ = false;
};

}  // namespace

std::vector<std::string> external_files_of_onnx(const std::string& path) {
  const ByteRange file = map_file(path);
  OnnxWalk walk(path);
  walk.message(file.bytes, OnnxMessage::kModel, 0);
  if (!walk.found_graph()) ByteReader(file.bytes, path).fail("no ONNX model: it has no graph");
  return walk.files();
}

}  // namespace imatch
