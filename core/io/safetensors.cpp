// SPDX-License-Identifier: Apache-2.0
#include "io/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/options.h"
#include "base/stop.h"
#include "io/byte_reader.h"
#include "io/json_file.h"
#include "io/tensor_view.h"

namespace imatch {
namespace {

constexpr std::uint64_t kMaxSafetensorsHeader = 100'000'000;  // of the reference implementation
constexpr const char* kMetadata = "__metadata__";

constexpr std::pair<const char*, at::ScalarType> kSafetensorsTypes[] = {
    {"F64", at::kDouble}, {"F32", at::kFloat}, {"F16", at::kHalf},  {"BF16", at::kBFloat16},
    {"I64", at::kLong},   {"I32", at::kInt},   {"I16", at::kShort}, {"I8", at::kChar},
    {"U8", at::kByte},    {"BOOL", at::kBool},
};

/// One entry of the header: {"dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end]}.
struct Entry {
  std::string name;
  at::ScalarType type;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

[[noreturn]] void refuse_safetensors(const std::string& file, const std::string& what) {
  throw Failure(code::kBadFormat, file + ": " + what);
}

at::ScalarType type_named(const Json& name, const std::string& where) {
  for (const auto& [known, type] : kSafetensorsTypes)
    if (name == known) return type;
  refuse_safetensors(where, fmt::format("dtype {} is not supported", name.dump()));
}

const char* name_of(at::ScalarType type) {
  for (const auto& [name, known] : kSafetensorsTypes)
    if (known == type) return name;
  throw Error(fmt::format("safetensors: dtype {} is not supported", dtype_name(type)));
}

Entry parse_entry(const std::string& name, const Json& entry, const std::string& file) {
  const std::string where = fmt::format("{}: tensor '{}'", file, name);
  const auto unsigned_list = [&](const char* key) -> const Json& {
    const auto found = entry.find(key);
    if (found == entry.end() || !found->is_array() ||
        !std::all_of(found->begin(), found->end(), [](const Json& n) { return n.is_number_unsigned(); }))
      refuse_safetensors(where, fmt::format("'{}' is no list of sizes", key));
    return *found;
  };
  if (!entry.is_object() || !entry.contains("dtype")) refuse_safetensors(where, "no dtype");
  Entry result{name, type_named(entry.at("dtype"), where), {}, 0, 0};
  for (const Json& size : unsigned_list("shape")) {
    if (size.get<std::uint64_t>() > INT64_MAX)
      refuse_safetensors(where, fmt::format("a size of {}", size.get<std::uint64_t>()));
    result.shape.push_back(size.get<std::int64_t>());
  }
  const Json& offsets = unsigned_list("data_offsets");
  if (offsets.size() != 2) refuse_safetensors(where, "'data_offsets' is no pair");
  result.begin = offsets[0].get<std::uint64_t>();
  result.end = offsets[1].get<std::uint64_t>();
  return result;
}

/// The format wants the data to be covered without overlap or gap, so that nothing can be hidden in it.
void require_cover(const std::vector<Entry>& entries, std::uint64_t size, const std::string& file) {
  std::vector<const Entry*> order;
  for (const Entry& entry : entries) order.push_back(&entry);
  const auto range = [](const Entry* e) { return std::pair(e->begin, e->end); };
  std::sort(order.begin(), order.end(), [&](const Entry* a, const Entry* b) { return range(a) < range(b); });
  std::uint64_t reached = 0;
  for (const Entry* entry : order) {
    if (entry->end < entry->begin || entry->end > size)
      refuse_safetensors(file, fmt::format("tensor '{}': bytes {} to {} are not in the {} bytes of data",
                                           entry->name, entry->begin, entry->end, size));
    if (entry->begin != reached)
      refuse_safetensors(file, fmt::format("tensor '{}' begins at byte {} of the data, expected {}",
                                           entry->name, entry->begin, reached));
    reached = entry->end;
  }
  if (reached != size)
    refuse_safetensors(file, fmt::format("{} bytes of data, the tensors have {}", size, reached));
}

}  // namespace

SafeTensors read_safetensors(const std::string& path) {
  return parse_safetensors(map_file(path), path);
}

SafeTensors parse_safetensors(const ByteRange& file, const std::string& name) {
  ByteReader reader(file.bytes, name);
  const auto header_size = reader.number<std::uint64_t>();
  if (header_size > kMaxSafetensorsHeader || header_size > reader.left())
    refuse_safetensors(
        name, fmt::format("not a safetensors file, or truncated: a header of {} bytes", header_size));
  const Json header = parse_json(reader.text(header_size), name);
  if (!header.is_object()) refuse_safetensors(name, "the header is no object");
  const ByteRange data = file.part(reader.position(), reader.left());

  SafeTensors result;
  std::vector<Entry> entries;
  for (const auto& [key, value] : header.items()) {
    if (key != kMetadata) {
      entries.push_back(parse_entry(key, value, name));
      continue;
    }
    if (!value.is_object()) refuse_safetensors(name, "'__metadata__' is no object");
    for (const auto& [word, text] : value.items()) {
      if (!text.is_string()) refuse_safetensors(name, fmt::format("'__metadata__': '{}' is no text", word));
      result.metadata[word] = text.get<std::string>();
    }
  }
  require_cover(entries, data.size(), name);
  for (const Entry& entry : entries) {
    check_stop();
    const ByteRange bytes = data.part(entry.begin, entry.end - entry.begin);
    result.tensors.add(
        entry.name, tensor_over(bytes, entry.type, entry.shape, fmt::format("{}: '{}'", name, entry.name)));
  }
  return result;
}

std::string safetensors_bytes(const SafeTensors& content) {
  std::vector<StateDict::Entry> order;
  for (const auto& [name, tensor] : content.tensors) order.emplace_back(name, tensor.cpu().contiguous());
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return a.second.element_size() > b.second.element_size();
  });
  Json header = Json::object();
  if (!content.metadata.empty()) header[kMetadata] = content.metadata;
  std::size_t size = 0;
  for (const auto& [name, tensor] : order) {
    header[name] = {{"dtype", name_of(tensor.scalar_type())},
                    {"shape", tensor.sizes().vec()},
                    {"data_offsets", {size, size + tensor.nbytes()}}};
    size += tensor.nbytes();
  }
  std::string text = json_text(header, -1);
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const std::uint64_t header_size = text.size();
  std::string bytes;
  bytes.reserve(sizeof(header_size) + text.size() + size);
  bytes.append(reinterpret_cast<const char*>(&header_size), sizeof(header_size));
  bytes += text;
  for (const auto& [name, tensor] : order)
    if (tensor.nbytes() > 0) bytes.append(static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes());
  return bytes;
}

void write_safetensors(const std::string& path, const SafeTensors& content) {
  write_file_atomically(path, safetensors_bytes(content));
}

}  // namespace imatch
