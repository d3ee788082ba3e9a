// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/error.h"
#include "image/decode.h"
#include "mesh/gltf_file.h"
#include "mesh/gltf_rig.h"
#include "mesh/mesh_file.h"

namespace imatch {
namespace {

constexpr int kPoints = 0, kTriangles = 4, kStrip = 5, kFan = 6;
constexpr std::string_view kUnderstood[] = {"KHR_mesh_quantization", "KHR_texture_transform",
                                            "KHR_lights_punctual"};

void check_extensions(const GltfFile& file) {
  for (const Json& name : file.list("extensionsRequired")) {
    const std::string text = name.is_string() ? name.get<std::string>() : name.dump();
    if (std::find(std::begin(kUnderstood), std::end(kUnderstood), text) == std::end(kUnderstood) &&
        !text.starts_with("KHR_materials_"))
      file.fail("requires " + text + ", which is not supported");
  }
}

const Json& primitives_of(const GltfFile& file, const Json& mesh) {
  const auto found = mesh.find("primitives");
  if (found == mesh.end() || !found->is_array()) file.fail("a mesh without a list of primitives");
  for (const Json& primitive : *found)
    if (!primitive.is_object() || !primitive.contains("attributes") || !primitive["attributes"].is_object())
      file.fail("a primitive without attributes");
  return *found;
}

bool has_mode(const GltfFile& file, const Json& primitive, bool points) {
  const auto mode = gltf_integer(file, primitive, "mode", kTriangles);
  return points ? mode == kPoints : mode >= kTriangles && mode <= kFan;
}

bool has_any(const GltfFile& file, const Json& mesh, bool points) {
  const Json& primitives = primitives_of(file, mesh);
  return std::any_of(primitives.begin(), primitives.end(),
                     [&](const Json& p) { return has_mode(file, p, points); });
}

/// The one mesh, or the one that the options name.
std::size_t chosen_mesh(const GltfFile& file, const std::string& wanted, bool* points) {
  const Json& meshes = file.list("meshes");
  std::vector<std::size_t> found;
  std::vector<std::string> names;
  for (const bool only_points : {false, true}) {
    for (std::size_t i = 0; i < meshes.size(); ++i) {
      if (!has_any(file, file.item("meshes", i), only_points)) continue;
      const std::string name = gltf_name(meshes[i]);
      names.push_back(fmt::format("{} '{}'", i, name));
      if (wanted.empty() || wanted == name || wanted == std::to_string(i)) found.push_back(i);
    }
    *points = only_points;
    if (!names.empty()) break;  // points count only where there are no triangles at all
  }
  if (names.empty()) file.fail("no mesh with triangles in it");
  if (found.size() == 1) return found[0];
  file.fail(fmt::format("{} meshes{}: {}; name one of them by `mesh`", found.size(),
                        wanted.empty() ? "" : " of the name '" + wanted + "'", fmt::join(names, ", ")));
}

class GltfReader {
 public:
  GltfReader(const GltfFile& file, const MeshReadOptions& options) : file_(file), options_(options) {}

  RiggedMesh read() {
    check_extensions(file_);
    bool points = false;
    const std::size_t chosen = chosen_mesh(file_, options_.mesh, &points);
    result_.rig.first_influence.push_back(0);
    skin_ = read_rig(file_, chosen, result_.rig);
    for (const Json& primitive : primitives_of(file_, file_.item("meshes", chosen)))
      if (has_mode(file_, primitive, points)) add(primitive, points);
    if (result_.mesh.triangles.empty() && !points) file_.fail("a mesh without triangles");
    if (!any_material_) result_.mesh.material_of.clear();
    if (result_.rig.joints.empty()) result_.rig.first_influence.clear();
    return std::move(result_);
  }

 private:
  /// A list of one entry a vertex, which primitives before may have had or not.
  template <class T, class Fill>
  void extend(std::vector<T>& list, const Json& attributes, const char* name, std::size_t first,
              std::size_t count, const Fill& fill) {
    if (!attributes.contains(name)) {
      if (!list.empty()) list.resize(first + count);
      return;
    }
    const GltfFile::Numbers numbers = file_.accessor(attributes[name]);
    if (numbers.count != count)
      file_.fail(fmt::format("{} of {} vertices for {} positions", name, numbers.count, count));
    list.resize(first + count);
    for (std::size_t i = 0; i < count; ++i)
      fill(list[first + i], numbers.values.data() + i * numbers.width, numbers.width);
  }

  void add(const Json& primitive, bool points) {
    Mesh& mesh = result_.mesh;
    const Json& attributes = primitive["attributes"];
    if (!attributes.contains("POSITION")) file_.fail("a primitive without POSITION");
    const Json& position = file_.item("accessors", attributes["POSITION"]);
    if (!position.contains("bufferView") && primitive.contains("extensions") &&
        primitive["extensions"].contains("KHR_draco_mesh_compression"))
      file_.fail("compressed by KHR_draco_mesh_compression, which is not supported");
    const std::size_t first = mesh.positions.size();
    const GltfFile::Numbers positions = file_.accessor(attributes["POSITION"], "VEC3");
    for (std::size_t i = 0; i < positions.count; ++i)
      mesh.positions.push_back({static_cast<float>(positions.values[3 * i]),
                                static_cast<float>(positions.values[3 * i + 1]),
                                static_cast<float>(positions.values[3 * i + 2])});
    const std::size_t count = positions.count;
    const auto copy = [&](auto& to, const double* from, std::size_t width) {
      for (std::size_t k = 0; k < std::min(to.size(), width); ++k) to[k] = static_cast<float>(from[k]);
    };
    extend(mesh.normals, attributes, "NORMAL", first, count, copy);
    extend(mesh.colours, attributes, "COLOR_0", first, count,
           [](auto& to, const double* from, std::size_t width) {
             for (std::size_t k = 0; k < std::min(to.size(), width); ++k)
               to[k] = static_cast<std::uint8_t>(
                   std::lround(255 * std::clamp(std::isnan(from[k]) ? 0 : from[k], 0.0, 1.0)));
           });
    const int material = add_material(primitive);
    const std::string uv = fmt::format("TEXCOORD_{}", texture_set_);
    extend(mesh.texture_coordinates, attributes, uv.c_str(), first, count, copy);
    add_influences(attributes, count);
    if (!points) add_triangles(primitive, first, count, material);
  }

  void add_triangles(const Json& primitive, std::size_t first, std::size_t count, int material) {
    std::vector<double> order;
    if (primitive.contains("indices")) {
      order = file_.accessor(primitive["indices"], "SCALAR").values;
      for (const double index : order)
        if (!(index >= 0 && index < static_cast<double>(count)))
          file_.fail(fmt::format("a triangle names vertex {} of {}", index, count));
    } else {
      for (std::size_t i = 0; i < count; ++i) order.push_back(static_cast<double>(i));
    }
    const auto mode = gltf_integer(file_, primitive, "mode", kTriangles);
    const std::size_t step = mode == kTriangles ? 3 : 1;
    for (std::size_t i = 0; i + 2 < order.size(); i += step) {
      std::array<std::size_t, 3> at{i, i + 1, i + 2};
      if (mode == kStrip && i % 2 == 1) std::swap(at[1], at[2]);
      if (mode == kFan) at[0] = 0;
      std::array<std::int32_t, 3> triangle{};
      for (std::size_t k = 0; k < 3; ++k)
        triangle[k] = static_cast<std::int32_t>(first + static_cast<std::size_t>(order[at[k]]));
      result_.mesh.triangles.push_back(triangle);
      result_.mesh.material_of.push_back(material);
    }
  }

  void add_influences(const Json& attributes, std::size_t count) {
    Rig& rig = result_.rig;
    if (rig.joints.empty()) return;
    if (!attributes.contains("JOINTS_0") || !attributes.contains("WEIGHTS_0"))
      file_.fail(
          fmt::format("skin {} moves a mesh whose vertices name no joints (JOINTS_0, WEIGHTS_0)", skin_));
    std::vector<GltfFile::Numbers> joints, weights;
    for (int set = 0;; ++set) {
      const std::string j = fmt::format("JOINTS_{}", set), w = fmt::format("WEIGHTS_{}", set);
      if (!attributes.contains(j) || !attributes.contains(w)) break;
      joints.push_back(file_.accessor(attributes[j], "VEC4"));
      weights.push_back(file_.accessor(attributes[w], "VEC4"));
      if (joints.back().count != count || weights.back().count != count)
        file_.fail(fmt::format("{} of {} vertices for {} positions", j, joints.back().count, count));
    }
    for (std::size_t i = 0; i < count; ++i) {
      double sum = 0;
      const std::size_t begin = rig.influences.size();
      for (std::size_t set = 0; set < joints.size(); ++set)
        for (std::size_t k = 4 * i; k < 4 * i + 4; ++k) {
          const double joint = joints[set].values[k], weight = weights[set].values[k];
          if (weight == 0) continue;
          if (!(joint >= 0 && joint < static_cast<double>(rig.joints.size())))
            file_.fail(fmt::format("vertex {} names joint {} of {}", i, joint, rig.joints.size()));
          sum += weight;
          rig.influences.push_back({static_cast<std::int32_t>(joint), static_cast<float>(weight)});
        }
      if (!(std::abs(sum - 1) <= 0.01) && !options_.normalize_weights)
        file_.fail(fmt::format(
            "the weights of vertex {} add up to {:.4g}; expected 1, or the option normalize_weights", i,
            sum));
      if (options_.normalize_weights && sum > 0)
        for (std::size_t k = begin; k < rig.influences.size(); ++k)
          rig.influences[k].weight /= static_cast<float>(sum);
      rig.first_influence.push_back(rig.influences.size());
    }
  }

  /// Index into the mesh's materials, -1 for none; leaves the set of its texture coordinates in texture_set_.
  int add_material(const Json& primitive) {
    texture_set_ = 0;
    const auto named = primitive.find("material");
    if (named == primitive.end()) return -1;
    const Json& described = file_.item("materials", *named);
    any_material_ = true;
    MeshMaterial material;
    const Json pbr = described.value("pbrMetallicRoughness", Json::object());
    if (const auto factor = pbr.find("baseColorFactor");
        factor != pbr.end() && factor->is_array() && factor->size() == 4)
      for (std::size_t k = 0; k < 4; ++k) material.base_colour[k] = factor->at(k).get<float>();
    if (const auto texture = pbr.find("baseColorTexture"); texture != pbr.end() && texture->is_object()) {
      texture_set_ =
          static_cast<int>(std::min<std::int64_t>(gltf_integer(file_, *texture, "texCoord", 0), 99));
      const Json& source = file_.item("textures", texture->value("index", Json()));
      if (source.contains("source")) material.texture = picture(source["source"]);
    }
    result_.mesh.materials.push_back(std::move(material));
    return static_cast<int>(result_.mesh.materials.size()) - 1;
  }

  std::shared_ptr<const Image> picture(const Json& index) {
    std::shared_ptr<const Image>& image = pictures_[index.dump()];
    if (!image)
      image = std::make_shared<Image>(
          decode_image(file_.image_bytes(index), file_.name() + ": image " + index.dump()));
    return image;
  }

  const GltfFile& file_;
  const MeshReadOptions& options_;
  RiggedMesh result_;
  std::int64_t skin_ = -1;
  int texture_set_ = 0;
  bool any_material_ = false;
  std::map<std::string, std::shared_ptr<const Image>> pictures_;
};

}  // namespace

RiggedMesh parse_gltf(const GltfFile& file, const MeshReadOptions& options) {
  try {
    return GltfReader(file, options).read();
  } catch (const nlohmann::json::exception& wrong) {  // a number in the place of a text and the like
    file.fail(std::string("not as glTF 2.0 has it: ") + wrong.what());
  }
}

}  // namespace imatch
