// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cstring>

#include "base/file.h"
#include "mesh/mesh_file.h"

namespace imatch {
namespace {

/// A PLY body is numbers in a row: as text with blanks between, or as little-endian bytes.
class PlyWriter {
 public:
  explicit PlyWriter(bool ascii) : ascii_(ascii) {}

  template <class T>
  void add(T value) {
    if (ascii_)
      fmt::format_to(std::back_inserter(text_), "{} ", value);
    else
      text_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void end_line() {
    if (ascii_ && text_.ends_with(' ')) text_.back() = '\n';
  }
  std::string take() { return std::move(text_); }
  std::string& text() { return text_; }

 private:
  bool ascii_;
  std::string text_;
};

}  // namespace

std::string ply_bytes(const Mesh& mesh, const PlyWriteOptions& options) {
  check_mesh(mesh);
  PlyWriter writer(options.ascii);
  writer.text() = fmt::format(
      "ply\nformat {} 1.0\nelement vertex {}\nproperty float x\nproperty float y\nproperty float z\n",
      options.ascii ? "ascii" : "binary_little_endian", mesh.positions.size());
  if (!mesh.normals.empty()) writer.text() += "property float nx\nproperty float ny\nproperty float nz\n";
  if (!mesh.colours.empty())
    writer.text() += "property uchar red\nproperty uchar green\nproperty uchar blue\n";
  for (const auto& [name, values] : mesh.scalars)
    if (!values.empty()) writer.text() += fmt::format("property float {}\n", name);
  if (!mesh.triangles.empty())
    writer.text() +=
        fmt::format("element face {}\nproperty list uchar int vertex_indices\n", mesh.triangles.size());
  writer.text() += "end_header\n";
  for (std::size_t i = 0; i < mesh.positions.size(); ++i) {
    for (const float x : mesh.positions[i]) writer.add(x);
    if (!mesh.normals.empty())
      for (const float x : mesh.normals[i]) writer.add(x);
    if (!mesh.colours.empty())
      for (const std::uint8_t x : mesh.colours[i]) writer.add(x);
    for (const auto& [name, values] : mesh.scalars)
      if (!values.empty()) writer.add(values[i]);
    writer.end_line();
  }
  for (const auto& triangle : mesh.triangles) {
    writer.add(std::uint8_t{3});
    for (const std::int32_t vertex : triangle) writer.add(vertex);
    writer.end_line();
  }
  return writer.take();
}

void write_ply(const std::string& path, const Mesh& mesh, const PlyWriteOptions& options) {
  write_file_atomically(path, ply_bytes(mesh, options));
}

}  // namespace imatch
