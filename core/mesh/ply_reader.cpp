// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <functional>

#include "mesh/mesh_file.h"
#include "mesh/text_scanner.h"

namespace imatch {
namespace {

enum class PlyFormat { kAscii, kLittle, kBig };

struct PlyType {
  std::string_view name, other_name;
  char kind;  ///< i, u or f
  std::size_t size;
};
constexpr PlyType kPlyTypes[] = {{"char", "int8", 'i', 1},     {"uchar", "uint8", 'u', 1},
                                 {"short", "int16", 'i', 2},   {"ushort", "uint16", 'u', 2},
                                 {"int", "int32", 'i', 4},     {"uint", "uint32", 'u', 4},
                                 {"float", "float32", 'f', 4}, {"double", "float64", 'f', 8}};

struct PlyProperty {
  std::string name;
  const PlyType* type = nullptr;
  const PlyType* length = nullptr;  ///< Of a list.
};

struct PlyElement {
  std::string name;
  std::size_t count = 0;
  std::vector<PlyProperty> properties;
};

const PlyType* type_named(TextScanner& scanner, std::string_view name) {
  for (const PlyType& type : kPlyTypes)
    if (name == type.name || name == type.other_name) return &type;
  scanner.fail(fmt::format("'{}' is no type of a PLY property", name.substr(0, 40)));
}

struct PlyHeader {
  PlyFormat format = PlyFormat::kAscii;
  std::vector<PlyElement> elements;
};

PlyHeader read_header(TextScanner& scanner) {
  PlyHeader header;
  bool has_format = false;
  while (scanner.next_line()) {
    const std::string_view word = scanner.word();
    if (word == "end_header") {
      if (!has_format) scanner.fail("a PLY header without its format");
      return header;
    }
    if (word == "format") {
      const std::string_view format = scanner.word();
      if (format != "ascii" && format != "binary_little_endian" && format != "binary_big_endian")
        scanner.fail(fmt::format("PLY format '{}'", format.substr(0, 40)));
      header.format = format == "ascii"               ? PlyFormat::kAscii
                      : format == "binary_big_endian" ? PlyFormat::kBig
                                                      : PlyFormat::kLittle;
      has_format = true;
    } else if (word == "element") {
      const std::string name(scanner.word());
      const double count = scanner.number();
      if (!(count >= 0 && count < 2147483648.0 && count == std::floor(count)))
        scanner.fail(fmt::format("{} elements", count));
      header.elements.push_back({name, static_cast<std::size_t>(count), {}});
    } else if (word == "property") {
      if (header.elements.empty()) scanner.fail("a property before the first element");
      PlyProperty property;
      std::string_view type = scanner.word();
      if (type == "list") {
        property.length = type_named(scanner, scanner.word());
        type = scanner.word();
        if (property.length->kind == 'f') scanner.fail("the length of a list is no integer");
      }
      property.type = type_named(scanner, type);
      property.name = scanner.word();
      header.elements.back().properties.push_back(std::move(property));
    }
  }
  scanner.fail("a PLY header without end_header");
}

/// The numbers behind the header, one after the other.
class PlyBody {
 public:
  PlyBody(TextScanner& scanner, PlyFormat format) : scanner_(scanner), format_(format) {}

  double next(const PlyType& type) {
    if (format_ == PlyFormat::kAscii) {
      std::string_view word = scanner_.word();
      while (word.empty()) {
        if (!scanner_.next_line()) scanner_.fail("truncated");
        word = scanner_.word();
      }
      return scanner_.number_of(word);
    }
    if (scanner_.rest().size() < type.size) scanner_.fail("truncated");
    unsigned char bytes[8];
    std::memcpy(bytes, scanner_.rest().data(), type.size);
    scanner_.skip(type.size);
    if (format_ == PlyFormat::kBig) std::reverse(bytes, bytes + type.size);
    if (type.kind == 'f') return type.size == 4 ? as<float>(bytes) : as<double>(bytes);
    if (type.size == 1) return type.kind == 'u' ? as<std::uint8_t>(bytes) : as<std::int8_t>(bytes);
    if (type.size == 2) return type.kind == 'u' ? as<std::uint16_t>(bytes) : as<std::int16_t>(bytes);
    return type.kind == 'u' ? as<std::uint32_t>(bytes) : as<std::int32_t>(bytes);
  }

  std::size_t length(const PlyProperty& property) {
    const double count = next(*property.length);
    if (!(count >= 0 && count <= static_cast<double>(scanner_.rest().size()) + 1e6))
      scanner_.fail(fmt::format("a list of {}", count));
    return static_cast<std::size_t>(count);
  }

  /// Whether so many elements can lie in what is left, a byte each at least.
  void require(std::size_t count) const {
    if (count > scanner_.rest().size())
      scanner_.fail(fmt::format("truncated: {} elements are announced", count));
  }

  [[noreturn]] void fail(const std::string& what) const { scanner_.fail(what); }

 private:
  template <class T>
  static double as(const unsigned char* bytes) {
    T value;
    std::memcpy(&value, bytes, sizeof value);
    return static_cast<double>(value);
  }
  TextScanner& scanner_;
  PlyFormat format_;
};

void read_vertices(PlyBody& body, const PlyElement& element, Mesh& mesh) {
  body.require(element.count);
  const auto has = [&](std::string_view name) {
    return std::any_of(element.properties.begin(), element.properties.end(),
                       [&](const PlyProperty& p) { return p.name == name && !p.length; });
  };
  if (!has("x") || !has("y") || !has("z")) body.fail("vertices without x, y and z");
  const bool normals = has("nx") && has("ny") && has("nz"),
             colours = has("red") && has("green") && has("blue");
  mesh.positions.resize(element.count);
  if (normals) mesh.normals.resize(element.count);
  if (colours) mesh.colours.resize(element.count);
  using Store = std::function<void(std::size_t, double)>;
  std::vector<Store> stores;
  for (const PlyProperty& p : element.properties) {
    static constexpr std::string_view kPosition[] = {"x", "y", "z"}, kNormal[] = {"nx", "ny", "nz"},
                                      kColour[] = {"red", "green", "blue"};
    Store store = [](std::size_t, double) {};
    bool known = false;
    for (std::size_t k = 0; k < 3 && !p.length; ++k) {
      if (p.name == kPosition[k])
        known = true,
        store = [&mesh, k](std::size_t i, double v) { mesh.positions[i][k] = static_cast<float>(v); };
      if (normals && p.name == kNormal[k])
        known = true,
        store = [&mesh, k](std::size_t i, double v) { mesh.normals[i][k] = static_cast<float>(v); };
      if (colours && p.name == kColour[k]) {
        const double scale = p.type->kind == 'f' ? 255 : 1;
        known = true, store = [&mesh, k, scale](std::size_t i, double v) {
          mesh.colours[i][k] =
              static_cast<std::uint8_t>(std::isnan(v) ? 0 : std::lround(std::clamp(scale * v, 0.0, 255.0)));
        };
      }
    }
    if (!known && !p.length) {
      mesh.scalars.emplace_back(p.name, std::vector<float>(element.count));
      store = [&mesh, at = mesh.scalars.size() - 1](std::size_t i, double v) {
        mesh.scalars[at].second[i] = static_cast<float>(v);
      };
    }
    stores.push_back(std::move(store));
  }
  for (std::size_t i = 0; i < element.count; ++i)
    for (std::size_t k = 0; k < stores.size(); ++k) {
      const PlyProperty& p = element.properties[k];
      std::size_t count = p.length ? body.length(p) : 1;
      for (; count > 0; --count) stores[k](i, body.next(*p.type));
    }
}

void read_faces(PlyBody& body, const PlyElement& element, Mesh& mesh) {
  if (!element.properties.empty()) body.require(element.count);
  std::vector<std::int32_t> face;
  for (std::size_t i = 0; i < element.count; ++i)
    for (const PlyProperty& p : element.properties) {
      const bool corners = p.length && (p.name == "vertex_indices" || p.name == "vertex_index");
      face.clear();
      for (std::size_t k = p.length ? body.length(p) : 1; k > 0; --k) {
        const double vertex = body.next(*p.type);
        if (!corners) continue;
        if (!(vertex >= 0 && vertex < static_cast<double>(mesh.positions.size())))
          body.fail(fmt::format("a face names vertex {} of {}", vertex, mesh.positions.size()));
        face.push_back(static_cast<std::int32_t>(vertex));
      }
      for (std::size_t k = 2; k < face.size(); ++k) mesh.triangles.push_back({face[0], face[k - 1], face[k]});
    }
}

}  // namespace

Mesh parse_ply(std::string_view bytes, const std::string& name) {
  TextScanner scanner(bytes, name);
  if (!scanner.next_line() || scanner.word() != "ply")
    throw Failure(code::kBadFormat, name + ": no PLY file");
  const PlyHeader header = read_header(scanner);
  PlyBody body(scanner, header.format);
  Mesh mesh;
  bool has_vertices = false;
  for (const PlyElement& element : header.elements) {
    if (element.name == "vertex" && !std::exchange(has_vertices, true)) {
      read_vertices(body, element, mesh);
    } else if (element.name == "face") {
      read_faces(body, element, mesh);
    } else {
      if (!element.properties.empty()) body.require(element.count);
      for (std::size_t i = 0; i < element.count && !element.properties.empty(); ++i)
        for (const PlyProperty& p : element.properties)
          for (std::size_t k = p.length ? body.length(p) : 1; k > 0; --k) body.next(*p.type);
    }
  }
  if (!has_vertices) throw Failure(code::kBadFormat, name + ": a PLY file without vertices");
  return mesh;
}

}  // namespace imatch
