// SPDX-License-Identifier: Apache-2.0
#include "raster/dualpm_scene.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <map>
#include <optional>

#include "base/error.h"
#include "base/file.h"
#include "geometry/camera_poses.h"
#include "io/npz.h"

namespace imatch {
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 20;  // of a text of a few lines
constexpr double kLeastFocal_mm = 1e-3;
constexpr double kMost = 1e9;  // of the numbers of a camera: beyond, what is computed from them is no number
constexpr std::string_view kBlanks = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::optional<double> number_in(std::string_view word) {
  if (word.starts_with('+')) word.remove_prefix(1);
  double value = 0;
  const auto [end, problem] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (problem != std::errc() || end != word.data() + word.size() || !(std::abs(value) <= kMost))
    return std::nullopt;
  return value;
}

/// "key: value" lines, the values without quotes and comments; other YAML than that is not in these files.
std::map<std::string, std::string, std::less<>> values_of(std::string_view text) {
  std::map<std::string, std::string, std::less<>> values;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1);
    const std::string_view line = text.substr(0, end + 1);
    text.remove_prefix(end + 1);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    std::string_view value = line.substr(colon + 1);
    value = trimmed(value.substr(0, std::min(value.find(" #"), value.size())));
    if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'') && value.back() == value.front())
      value = value.substr(1, value.size() - 2);
    values[std::string(trimmed(line.substr(0, colon)))] = value;
  }
  return values;
}

Matrix4 matrix_in(const std::string& path) {
  const std::string text = read_file(path, kMostBytes);
  Matrix4 matrix{};
  std::size_t count = 0;
  for (std::string_view rest = trimmed(text); !rest.empty(); ++count) {
    const std::size_t end = std::min(rest.find_first_of(kBlanks), rest.size());
    const std::optional<double> value = number_in(rest.substr(0, end));
    if (!value)
      throw Failure(code::kBadFormat,
                    path + ": not a number, or one beyond 1e9, in it; expected 4 lines of 4");
    if (count < matrix.m.size()) matrix.m[count] = *value;
    rest = trimmed(rest.substr(end));
  }
  if (count != matrix.m.size())
    throw Failure(code::kBadFormat, fmt::format("{}: {} numbers; expected 4 lines of 4", path, count));
  return matrix;
}

std::string mesh_named(const std::string& root, std::string_view name) {
  if (name.find('/') != std::string_view::npos || name == "..")
    throw Failure(code::kBadFormat,
                  fmt::format("model_name '{}' is no name of a folder in {}/shapes", name, root));
  const std::string stem = fmt::format("{}/shapes/{}/{}_shape", root, name, name);
  for (const char* ending : {".gltf", ".glb", ".obj", ".ply"})
    if (std::filesystem::exists(stem + ending)) return stem + ending;
  throw Failure(code::kNotFound, stem + ".gltf: no such file (nor .glb, .obj, .ply)");
}

std::string camera_file(const std::string& root, std::string_view id) {
  return fmt::format("{}/cameras/{}_camera.txt", root, id);
}

}  // namespace

DualPmScene read_dualpm_scene(const std::string& root, std::string_view id, int size) {
  const std::string metadata = fmt::format("{}/metadata/{}_metadata.txt", root, id);
  const auto values = values_of(read_file(metadata, kMostBytes));
  const auto name = values.find("model_name"), focal = values.find("focal_length");
  const double focal_mm = focal == values.end() ? 0 : number_in(focal->second).value_or(0);
  if (name == values.end() || name->second.empty() || focal_mm < kLeastFocal_mm)
    throw Failure(code::kBadFormat,
                  metadata + ": expected model_name, and focal_length in mm, at least 0.001");

  DualPmScene scene;
  const std::string camera = camera_file(root, id);
  const Matrix4 matrix = matrix_in(camera);
  try {
    scene.camera = camera_of_opengl(matrix, "z", {size, size, focal_mm});
  } catch (const Error& error) {
    throw Failure(code::kBadFormat, fmt::format("{}: {}", camera, error.what()));
  }
  scene.mesh = mesh_named(root, name->second);
  const std::string pose = fmt::format("{}/poses/{}_pose.npz", root, id);
  const StateDict arrays = read_npz(pose);
  const at::Tensor* poses = arrays.find("poses");
  if (!poses) throw Failure(code::kBadFormat, pose + ": no array 'poses' in it");
  scene.poses = *poses;
  return scene;
}

bool has_dualpm_scene(const std::string& root, std::string_view id) {
  return std::filesystem::exists(camera_file(root, id));
}

}  // namespace imatch
