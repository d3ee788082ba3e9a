// SPDX-License-Identifier: Apache-2.0
#include "mesh/gltf_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>

#include "base/base64.h"
#include "base/error.h"
#include "base/file.h"
#include "io/byte_reader.h"
#include "io/json_file.h"

namespace imatch {
namespace {

constexpr std::uint32_t kMagic = 0x46546C67, kJsonChunk = 0x4E4F534A, kBinaryChunk = 0x004E4942;
constexpr std::int64_t kMostElements = std::int64_t{1} << 28;
constexpr std::int64_t kMostZeros = std::int64_t{1} << 22;  // of an accessor that no bytes stand behind

enum Component { kByte = 5120, kUnsignedByte, kShort, kUnsignedShort, kUnsignedInt = 5125, kFloat };

std::size_t size_of(int component) {
  switch (component) {
    case kByte:
    case kUnsignedByte:
      return 1;
    case kShort:
    case kUnsignedShort:
      return 2;
    case kUnsignedInt:
    case kFloat:
      return 4;
    default:
      return 0;
  }
}

template <class T>
double number_at(const std::byte* at, bool normalised) {
  T value;
  std::memcpy(&value, at, sizeof value);
  if constexpr (std::is_floating_point_v<T>)
    return value;
  else if (normalised)
    return std::max(static_cast<double>(value) / std::numeric_limits<T>::max(), -1.0);
  return static_cast<double>(value);
}

double number_at(const std::byte* at, int component, bool normalised) {
  switch (component) {
    case kByte:
      return number_at<std::int8_t>(at, normalised);
    case kUnsignedByte:
      return number_at<std::uint8_t>(at, normalised);
    case kShort:
      return number_at<std::int16_t>(at, normalised);
    case kUnsignedShort:
      return number_at<std::uint16_t>(at, normalised);
    case kUnsignedInt:
      return number_at<std::uint32_t>(at, normalised);
    default:
      return number_at<float>(at, false);
  }
}

constexpr std::pair<std::string_view, std::size_t> kWidths[] = {
    {"SCALAR", 1}, {"VEC2", 2}, {"VEC3", 3}, {"VEC4", 4}, {"MAT2", 4}, {"MAT3", 9}, {"MAT4", 16}};

/// "%20" and the like as the bytes that they stand for.
std::string percent_decoded(std::string_view uri) {
  const auto digit = [](char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
  };
  std::string text;
  for (std::size_t i = 0; i < uri.size(); ++i) {
    if (uri[i] == '%' && i + 2 < uri.size() && digit(uri[i + 1]) >= 0 && digit(uri[i + 2]) >= 0) {
      text += static_cast<char>(16 * digit(uri[i + 1]) + digit(uri[i + 2]));
      i += 2;
    } else {
      text += uri[i];
    }
  }
  return text;
}

}  // namespace

GltfFile::GltfFile(const std::string& path)
    : name_(path), folder_(std::filesystem::path(path).parent_path().string()) {
  if (folder_.empty()) folder_ = ".";
  read(own_bytes(read_file(path)));
}

GltfFile::GltfFile(ByteRange bytes, const std::string& name) : name_(name) {
  read(bytes);
}

void GltfFile::fail(const std::string& what) const {
  throw Failure(code::kBadFormat, name_ + ": " + what);
}

void GltfFile::read(const ByteRange& bytes) {
  ByteReader reader(bytes.bytes, name_);
  std::string_view text(reinterpret_cast<const char*>(bytes.bytes.data()), bytes.size());
  if (reader.left() >= 12 && reader.number<std::uint32_t>() == kMagic) {
    const auto version = reader.number<std::uint32_t>(), length = reader.number<std::uint32_t>();
    if (version != 2) fail(fmt::format("version {} of GLB, expected 2", version));
    if (length > bytes.size()) fail(fmt::format("truncated: {} bytes of {}", bytes.size(), length));
    bool has_text = false, has_chunk = false;
    while (reader.left() >= 8) {
      const auto size = reader.number<std::uint32_t>(), kind = reader.number<std::uint32_t>();
      const std::size_t begin = reader.position();
      reader.take(size);
      if (kind == kJsonChunk && !std::exchange(has_text, true))
        text = text.substr(begin, size);
      else if (kind == kBinaryChunk && has_text && !std::exchange(has_chunk, true))
        chunk_ = bytes.part(begin, size);
    }
    if (!has_text) fail("a GLB file without its JSON chunk");
  }
  json_ = parse_json(text, name_);
  const auto asset = json_.is_object() ? json_.find("asset") : json_.end();
  if (!json_.is_object() || asset == json_.end() || !asset->is_object() || !asset->contains("version") ||
      !asset->at("version").is_string())
    fail("no glTF file: asset.version is missing");
  const auto version = asset->at("version").get<std::string>();
  if (!version.starts_with("2.")) fail(fmt::format("version {} of glTF, expected 2.0", version));
}

const Json& GltfFile::list(const char* what) const {
  static const Json kEmpty = Json::array();
  const auto found = json_.find(what);
  if (found == json_.end()) return kEmpty;
  if (!found->is_array()) fail(fmt::format("'{}' is no list", what));
  return *found;
}

const Json& GltfFile::item(const char* what, const Json& index) const {
  const Json& items = list(what);
  if (!index.is_number_unsigned() || index.get<std::uint64_t>() >= items.size())
    fail(fmt::format("{} {} is named; the file has {}", what, index.dump(), items.size()));
  const Json& found = items[index.get<std::size_t>()];
  if (!found.is_object()) fail(fmt::format("{} {} is no object", what, index.dump()));
  return found;
}

std::int64_t gltf_integer(const GltfFile& file, const Json& object, const char* name,
                          std::int64_t otherwise) {
  const auto found = object.find(name);
  if (found == object.end()) return otherwise;
  if (!found->is_number_unsigned() || found->get<std::uint64_t>() > (std::uint64_t{1} << 53))
    file.fail(fmt::format("'{}' is {}; expected an integer >= 0", name, found->dump().substr(0, 40)));
  return found->get<std::int64_t>();
}

std::string gltf_name(const Json& object) {
  const auto name = object.find("name");
  return name != object.end() && name->is_string() ? name->get<std::string>() : "";
}

ByteRange GltfFile::resource(const std::string& uri) const {
  if (uri.starts_with("data:")) {
    const std::size_t comma = uri.find(',');
    if (comma == std::string::npos) fail("a data URI without data");
    if (!std::string_view(uri).substr(0, comma).ends_with(";base64"))
      return own_bytes(percent_decoded(std::string_view(uri).substr(comma + 1)));
    auto bytes = base64_decoded(std::string_view(uri).substr(comma + 1));
    if (!bytes) fail("a data URI whose base64 is broken");
    return own_bytes(std::move(*bytes));
  }
  const std::filesystem::path path = std::filesystem::path(percent_decoded(uri)).lexically_normal();
  if (folder_.empty()) fail("names another file, '" + uri.substr(0, 80) + "'");
  if (path.empty() || path.is_absolute() || *path.begin() == ".." || uri.find("://") != std::string::npos ||
      uri.find('\0') != std::string::npos)
    fail("names '" + uri.substr(0, 80) + "'; expected a file in its folder or below");
  try {
    return own_bytes(read_file(folder_ + "/" + path.string()));
  } catch (const Failure& failure) {
    throw Failure(failure.code(), name_ + ": " + failure.what());
  }
}

ByteRange GltfFile::buffer(const Json& index) const {
  const Json& described = item("buffers", index);
  const auto number = index.get<std::int64_t>();
  for (const auto& [known, bytes] : buffers_)
    if (known == number) return bytes;
  const auto length = static_cast<std::size_t>(gltf_integer(*this, described, "byteLength", 0));
  const auto uri = described.find("uri");
  if (uri != described.end() && !uri->is_string()) fail("the uri of a buffer is no text");
  if (uri == described.end() && (number != 0 || !chunk_.owner))
    fail("a buffer without uri, and no binary chunk");
  const ByteRange bytes = uri == described.end() ? chunk_ : resource(uri->get<std::string>());
  if (bytes.size() < length)
    fail(fmt::format("truncated: buffer {} has {} bytes of {}", number, bytes.size(), length));
  buffers_.emplace_back(number, bytes.part(0, length));
  return buffers_.back().second;
}

ByteRange GltfFile::view_bytes(const Json& index) const {
  const Json& view = item("bufferViews", index);
  if (view.contains("extensions") && view["extensions"].contains("EXT_meshopt_compression"))
    fail("compressed by EXT_meshopt_compression, which is not supported");
  const ByteRange bytes = buffer(view.value("buffer", Json()));
  const std::int64_t offset = gltf_integer(*this, view, "byteOffset", 0),
                     length = gltf_integer(*this, view, "byteLength", 0);
  if (static_cast<std::size_t>(offset) > bytes.size() ||
      static_cast<std::size_t>(length) > bytes.size() - static_cast<std::size_t>(offset))
    fail(fmt::format("bufferView {} reaches beyond its buffer of {} bytes", index.dump(), bytes.size()));
  return bytes.part(static_cast<std::size_t>(offset), static_cast<std::size_t>(length));
}

GltfFile::Numbers GltfFile::accessor(const Json& index, std::string_view type) const {
  const Json& described = item("accessors", index);
  Numbers numbers;
  const Json& named = described.contains("type") ? described["type"] : Json();
  if (named.is_string()) numbers.type = named.get<std::string>();
  const auto known = std::find_if(std::begin(kWidths), std::end(kWidths),
                                  [&](const auto& w) { return w.first == numbers.type; });
  if (known == std::end(kWidths) || (!type.empty() && type != numbers.type))
    fail(fmt::format("accessor {} is of type '{}'{}", index.dump(), numbers.type,
                     type.empty() ? "" : fmt::format("; expected {}", type)));
  numbers.width = known->second;
  const auto component = static_cast<int>(gltf_integer(*this, described, "componentType", 0));
  const std::int64_t count = gltf_integer(*this, described, "count", 0);
  const std::size_t item_size = size_of(component), packed = item_size * numbers.width;
  if (item_size == 0) fail(fmt::format("accessor {} has componentType {}", index.dump(), component));
  if (count > kMostElements) fail(fmt::format("accessor {} has {} elements", index.dump(), count));
  const auto normalised_flag = described.find("normalized");
  const bool normalised =
      normalised_flag != described.end() && normalised_flag->is_boolean() && normalised_flag->get<bool>();
  numbers.count = static_cast<std::size_t>(count);
  if (described.contains("bufferView")) {
    const ByteRange bytes = view_bytes(described["bufferView"]);
    const auto offset = static_cast<std::size_t>(gltf_integer(*this, described, "byteOffset", 0));
    auto stride = static_cast<std::size_t>(
        gltf_integer(*this, item("bufferViews", described["bufferView"]), "byteStride", 0));
    if (stride == 0) stride = packed;
    if (stride > 4096 || (count > 0 && (offset > bytes.size() || packed > bytes.size() - offset ||
                                        (numbers.count - 1) > (bytes.size() - offset - packed) / stride)))
      fail(fmt::format("accessor {} reaches beyond its bufferView of {} bytes", index.dump(), bytes.size()));
    numbers.values.reserve(numbers.count * numbers.width);
    for (std::size_t i = 0; i < numbers.count; ++i)
      for (std::size_t k = 0; k < numbers.width; ++k)
        numbers.values.push_back(
            number_at(bytes.bytes.data() + offset + i * stride + k * item_size, component, normalised));
  } else {
    if (count > kMostZeros)
      fail(fmt::format("accessor {} has {} elements and no bufferView", index.dump(), count));
    numbers.values.resize(numbers.count * numbers.width);
  }
  if (described.contains("sparse")) add_sparse(described["sparse"], numbers, component, normalised);
  return numbers;
}

void GltfFile::add_sparse(const Json& sparse, Numbers& numbers, int component, bool normalised) const {
  if (!sparse.is_object() || !sparse.contains("indices") || !sparse.contains("values"))
    fail("a sparse accessor without indices and values");
  const Json &indices = sparse["indices"], &values = sparse["values"];
  const auto count = static_cast<std::size_t>(gltf_integer(*this, sparse, "count", 0));
  const auto index_type = static_cast<int>(gltf_integer(*this, indices, "componentType", 0));
  const std::size_t index_size = size_of(index_type), packed = size_of(component) * numbers.width;
  const ByteRange places = view_bytes(indices.value("bufferView", Json())),
                  news = view_bytes(values.value("bufferView", Json()));
  const auto at = static_cast<std::size_t>(gltf_integer(*this, indices, "byteOffset", 0)),
             from = static_cast<std::size_t>(gltf_integer(*this, values, "byteOffset", 0));
  if (index_size == 0 || index_type == kFloat || count > numbers.count || at > places.size() ||
      from > news.size() || count > (places.size() - at) / index_size ||
      count > (news.size() - from) / packed)
    fail("a sparse accessor reaches beyond its bufferViews");
  for (std::size_t i = 0; i < count; ++i) {
    const double place = number_at(places.bytes.data() + at + i * index_size, index_type, false);
    if (!(place >= 0 && place < static_cast<double>(numbers.count)))
      fail("a sparse accessor names an element that is not there");
    for (std::size_t k = 0; k < numbers.width; ++k)
      numbers.values[static_cast<std::size_t>(place) * numbers.width + k] =
          number_at(news.bytes.data() + from + i * packed + k * size_of(component), component, normalised);
  }
}

std::string GltfFile::image_bytes(const Json& index) const {
  const Json& image = item("images", index);
  const auto uri = image.find("uri");
  const ByteRange bytes = uri != image.end() && uri->is_string()
                              ? resource(uri->get<std::string>())
                              : view_bytes(image.value("bufferView", Json()));
  return {reinterpret_cast<const char*>(bytes.bytes.data()), bytes.size()};
}

}  // namespace imatch
