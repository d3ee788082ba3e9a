// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/file.h"
#include "image/encode.h"
#include "mesh/mesh_file.h"

namespace imatch {
namespace {

constexpr int kFloatType = 5126, kByteType = 5121, kShortType = 5123,
              kIntType = 5125;  // all but the first unsigned
constexpr int kArrayBuffer = 34962, kElementBuffer = 34963;

class GlbWriter {
 public:
  explicit GlbWriter(const RiggedMesh& rigged) : mesh_(rigged.mesh), rig_(rigged.rig) {}

  std::string bytes() {
    json_ = {{"asset", {{"version", "2.0"}, {"generator", "imatch-lua"}}}};
    add_mesh();
    add_nodes();
    add_clips();
    json_["buffers"] = Json::array({Json{{"byteLength", data_.size()}}});
    json_["bufferViews"] = views_;
    json_["accessors"] = accessors_;
    std::string text = json_.dump();
    text.append((4 - text.size() % 4) % 4, ' ');
    std::string file = "glTF";
    const auto number = [&](std::size_t value) {
      for (int shift = 0; shift < 32; shift += 8) file += static_cast<char>(value >> shift & 255);
    };
    number(2), number(12 + 8 + text.size() + 8 + data_.size());
    number(text.size()), file += "JSON", file += text;
    number(data_.size()), file += std::string_view("BIN\0", 4), file += data_;
    return file;
  }

 private:
  std::size_t add_view(const void* bytes, std::size_t size, int target) {
    Json view{{"buffer", 0}, {"byteOffset", data_.size()}, {"byteLength", size}};
    if (target) view["target"] = target;
    data_.append(static_cast<const char*>(bytes), size);
    data_.append((4 - data_.size() % 4) % 4, '\0');
    views_.push_back(std::move(view));
    return views_.size() - 1;
  }

  template <class T>
  std::size_t add_accessor(const std::vector<T>& items, int component, const char* type,
                           int target = kArrayBuffer) {
    accessors_.push_back({{"bufferView", add_view(items.data(), items.size() * sizeof(T), target)},
                          {"componentType", component},
                          {"count", items.size()},
                          {"type", type}});
    return accessors_.size() - 1;
  }

  void add_mesh() {
    if (mesh_.positions.empty()) throw Error("glb: an empty mesh; expected at least one vertex");
    const bool points = mesh_.triangles.empty();
    Json attributes;
    attributes["POSITION"] = add_accessor(mesh_.positions, kFloatType, "VEC3");
    const MeshBox box = box_of(mesh_.positions);
    accessors_.back()["min"] = box.low, accessors_.back()["max"] = box.high;
    if (!mesh_.normals.empty()) attributes["NORMAL"] = add_accessor(mesh_.normals, kFloatType, "VEC3");
    if (!mesh_.texture_coordinates.empty())
      attributes["TEXCOORD_0"] = add_accessor(mesh_.texture_coordinates, kFloatType, "VEC2");
    if (!mesh_.colours.empty()) {
      std::vector<std::array<std::uint8_t, 4>> colours;  // four: each element begins at a multiple of 4
      for (const auto& c : mesh_.colours) colours.push_back({c[0], c[1], c[2], 255});
      attributes["COLOR_0"] = add_accessor(colours, kByteType, "VEC4");
      accessors_.back()["normalized"] = true;
    }
    if (!rig_.joints.empty()) add_influences(attributes);
    Json primitive{{"attributes", attributes}, {"mode", points ? 0 : 4}};
    if (!points) {
      std::vector<std::uint32_t> indices;
      for (const auto& triangle : mesh_.triangles)
        indices.insert(indices.end(), triangle.begin(), triangle.end());
      primitive["indices"] = add_accessor(indices, kIntType, "SCALAR", kElementBuffer);
    }
    if (!mesh_.materials.empty()) primitive["material"] = add_material(mesh_.materials.front());
    json_["meshes"] = Json::array({Json{{"primitives", Json::array({primitive})}}});
  }

  std::size_t add_material(const MeshMaterial& material) {
    Json pbr{{"baseColorFactor", material.base_colour}, {"metallicFactor", 0}, {"roughnessFactor", 1}};
    if (material.texture) {
      const std::string png = encode_image(*material.texture, "png");
      json_["images"] =
          Json::array({Json{{"bufferView", add_view(png.data(), png.size(), 0)}, {"mimeType", "image/png"}}});
      json_["textures"] = Json::array({Json{{"source", 0}}});
      pbr["baseColorTexture"] = {{"index", 0}};
    }
    json_["materials"] = Json::array({Json{{"pbrMetallicRoughness", pbr}, {"doubleSided", true}}});
    return 0;
  }

  void add_influences(Json& attributes) {
    std::size_t most = 1;
    for (std::size_t i = 0; i < mesh_.positions.size(); ++i)
      most = std::max(most, rig_.first_influence[i + 1] - rig_.first_influence[i]);
    for (std::size_t set = 0; 4 * set < most; ++set) {
      std::vector<std::array<std::uint16_t, 4>> joints(mesh_.positions.size());
      std::vector<std::array<float, 4>> weights(mesh_.positions.size());
      for (std::size_t i = 0; i < mesh_.positions.size(); ++i)
        for (std::size_t k = 0; k < 4; ++k) {
          const std::size_t at = rig_.first_influence[i] + 4 * set + k;
          if (at >= rig_.first_influence[i + 1]) break;
          joints[i][k] = static_cast<std::uint16_t>(rig_.influences[at].joint);
          weights[i][k] = rig_.influences[at].weight;
        }
      const std::string number = std::to_string(set);
      attributes["JOINTS_" + number] = add_accessor(joints, kShortType, "VEC4");
      attributes["WEIGHTS_" + number] = add_accessor(weights, kFloatType, "VEC4");
    }
  }

  void add_nodes() {
    Json nodes = Json::array(), roots = Json::array();
    for (const RigNode& node : rig_.nodes) {
      const auto& [t, r, s] = node.rest;
      Json described{
          {"translation", {t.x, t.y, t.z}}, {"rotation", {r.x, r.y, r.z, r.w}}, {"scale", {s.x, s.y, s.z}}};
      if (!node.name.empty()) described["name"] = node.name;
      nodes.push_back(std::move(described));
    }
    for (std::size_t i = 0; i < rig_.nodes.size(); ++i) {
      const int parent = rig_.nodes[i].parent;
      (parent < 0 ? roots : nodes[static_cast<std::size_t>(parent)]["children"]).push_back(i);
    }
    auto mesh_node = static_cast<std::size_t>(std::max(rig_.mesh_node, 0));
    if (rig_.mesh_node < 0) {
      mesh_node = nodes.size();
      nodes.push_back(Json::object());
      roots.push_back(mesh_node);
    }
    nodes[mesh_node]["mesh"] = 0;
    if (!rig_.joints.empty()) {
      nodes[mesh_node]["skin"] = 0;
      std::vector<std::array<float, 16>> binds;
      for (const Matrix4& bind : rig_.inverse_bind) {
        auto& columns = binds.emplace_back();
        for (int row = 0; row < 4; ++row)
          for (int column = 0; column < 4; ++column)
            columns[static_cast<std::size_t>(4 * column + row)] = static_cast<float>(bind(row, column));
      }
      json_["skins"] = Json::array({Json{
          {"joints", rig_.joints}, {"inverseBindMatrices", add_accessor(binds, kFloatType, "MAT4", 0)}}});
    }
    json_["nodes"] = nodes;
    json_["scenes"] = Json::array({Json{{"nodes", roots}}});
    json_["scene"] = 0;
  }

  void add_clips() {
    for (const RigClip& clip : rig_.clips) {
      Json samplers = Json::array(), channels = Json::array();
      for (const RigChannel& channel : clip.channels) {
        const bool rotation = channel.path == RigChannel::Path::kRotation;
        const std::size_t input = add_accessor(channel.times_s, kFloatType, "SCALAR", 0);
        const auto [first, last] = std::minmax_element(channel.times_s.begin(), channel.times_s.end());
        accessors_.back()["min"] = Json::array({*first}), accessors_.back()["max"] = Json::array({*last});
        const std::size_t output = add_accessor(channel.values, kFloatType, "SCALAR", 0);
        accessors_.back()["type"] = rotation ? "VEC4" : "VEC3";
        accessors_.back()["count"] = channel.values.size() / (rotation ? 4 : 3);
        static constexpr const char* kInterpolations[] = {"LINEAR", "STEP", "CUBICSPLINE"};
        static constexpr const char* kPaths[] = {"translation", "rotation", "scale"};
        samplers.push_back({{"input", input},
                            {"output", output},
                            {"interpolation", kInterpolations[static_cast<int>(channel.interpolation)]}});
        channels.push_back(
            {{"sampler", samplers.size() - 1},
             {"target", {{"node", channel.node}, {"path", kPaths[static_cast<int>(channel.path)]}}}});
      }
      if (!channels.empty())
        json_["animations"].push_back({{"name", clip.name}, {"samplers", samplers}, {"channels", channels}});
    }
  }

  const Mesh& mesh_;
  const Rig& rig_;
  Json json_, views_ = Json::array(), accessors_ = Json::array();
  std::string data_;
};

}  // namespace

std::string glb_bytes(const RiggedMesh& mesh) {
  check_mesh(mesh.mesh);
  return GlbWriter(mesh).bytes();
}

void write_glb(const std::string& path, const RiggedMesh& mesh) {
  write_file_atomically(path, glb_bytes(mesh));
}

}  // namespace imatch
