// SPDX-License-Identifier: Apache-2.0
#include "mesh/gltf_rig.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace imatch {
namespace {

Matrix4 column_major(const double* numbers) {
  Matrix4 matrix;
  for (int row = 0; row < 4; ++row)
    for (int column = 0; column < 4; ++column) matrix(row, column) = numbers[4 * column + row];
  return matrix;
}

std::vector<double> numbers_of(const GltfFile& file, const Json& object, const char* name,
                               std::size_t count) {
  const auto found = object.find(name);
  if (found == object.end()) return {};
  std::vector<double> numbers;
  if (found->is_array())
    for (const Json& number : *found)
      if (number.is_number()) numbers.push_back(number.get<double>());
  const bool finite = std::all_of(numbers.begin(), numbers.end(), [](double x) { return std::isfinite(x); });
  if (numbers.size() != count || numbers.size() != found->size() || !finite)
    file.fail(fmt::format("'{}' of a node; expected {} numbers", name, count));
  return numbers;
}

RigNode node_of(const GltfFile& file, const Json& described) {
  RigNode node{gltf_name(described), -1, {}};
  if (const auto m = numbers_of(file, described, "matrix", 16); !m.empty())
    node.rest = parts_of(column_major(m.data()));
  if (const auto t = numbers_of(file, described, "translation", 3); !t.empty())
    node.rest.translation = {t[0], t[1], t[2]};
  if (const auto r = numbers_of(file, described, "rotation", 4); !r.empty())
    node.rest.rotation = {r[3], r[0], r[1], r[2]};
  if (const auto s = numbers_of(file, described, "scale", 3); !s.empty())
    node.rest.scale = {s[0], s[1], s[2]};
  return node;
}

void read_nodes(const GltfFile& file, Rig& rig) {
  const std::size_t count = file.list("nodes").size();
  for (std::size_t i = 0; i < count; ++i) rig.nodes.push_back(node_of(file, file.item("nodes", i)));
  for (std::size_t i = 0; i < count; ++i) {
    const Json& described = file.item("nodes", i);
    const auto children = described.find("children");
    if (children == described.end()) continue;
    if (!children->is_array()) file.fail("'children' of a node is no list");
    for (const Json& child : *children) {
      file.item("nodes", child);
      int& parent = rig.nodes[child.get<std::size_t>()].parent;
      if (parent >= 0) file.fail(fmt::format("node {} has two parents", child.dump()));
      parent = static_cast<int>(i);
    }
  }
  std::vector<std::size_t> climbed_from(count, count);
  for (std::size_t i = 0; i < count;
       ++i)  // each node has one parent: whoever comes by itself again is in a ring
    for (int at = static_cast<int>(i); at >= 0; at = rig.nodes[static_cast<std::size_t>(at)].parent) {
      std::size_t& from = climbed_from[static_cast<std::size_t>(at)];
      if (from == i) file.fail(fmt::format("node {} is its own ancestor", at));
      if (from != count) break;
      from = i;
    }
}

void read_skin(const GltfFile& file, const Json& index, Rig& rig) {
  const Json& skin = file.item("skins", index);
  const auto joints = skin.find("joints");
  if (joints == skin.end() || !joints->is_array() || joints->empty())
    file.fail(fmt::format("skin {} has no joints", index.dump()));
  for (const Json& joint : *joints) {
    file.item("nodes", joint);
    rig.joints.push_back(joint.get<int>());
  }
  rig.inverse_bind.resize(rig.joints.size());
  if (!skin.contains("inverseBindMatrices")) return;
  const GltfFile::Numbers numbers = file.accessor(skin["inverseBindMatrices"], "MAT4");
  if (numbers.count < rig.joints.size())
    file.fail(fmt::format("skin {} has {} inverse bind matrices for {} joints", index.dump(), numbers.count,
                          rig.joints.size()));
  for (std::size_t j = 0; j < rig.joints.size(); ++j)
    rig.inverse_bind[j] = column_major(numbers.values.data() + 16 * j);
}

/// One property of one node; none where it moves something else (weights of morph targets).
bool read_channel(const GltfFile& file, const Json& animation, const Json& described, RigChannel& channel) {
  const Json target = described.value("target", Json::object());
  const std::string path = target.value("path", "");
  if (!target.contains("node") || (path != "translation" && path != "rotation" && path != "scale"))
    return false;
  file.item("nodes", target["node"]);
  channel.node = target["node"].get<int>();
  channel.path = path == "rotation" ? RigChannel::Path::kRotation
                 : path == "scale"  ? RigChannel::Path::kScale
                                    : RigChannel::Path::kTranslation;
  const Json samplers = animation.value("samplers", Json::array());
  const auto number =
      static_cast<std::size_t>(gltf_integer(file, described, "sampler", std::int64_t{1} << 40));
  if (!samplers.is_array() || number >= samplers.size())
    file.fail("a channel of an animation names a sampler that is not there");
  const Json& sampler = samplers[number];
  const std::string interpolation = sampler.value("interpolation", "LINEAR");
  if (interpolation == "STEP")
    channel.interpolation = RigChannel::Interpolation::kStep;
  else if (interpolation == "CUBICSPLINE")
    channel.interpolation = RigChannel::Interpolation::kCubicSpline;
  else if (interpolation != "LINEAR")
    file.fail("an animation of interpolation '" + interpolation + "'");
  const GltfFile::Numbers times = file.accessor(sampler.value("input", Json()), "SCALAR");
  const GltfFile::Numbers values =
      file.accessor(sampler.value("output", Json()), path == "rotation" ? "VEC4" : "VEC3");
  const std::size_t per_key = channel.interpolation == RigChannel::Interpolation::kCubicSpline ? 3 : 1;
  if (times.count == 0 || values.count != per_key * times.count)
    file.fail(fmt::format("an animation has {} values for {} keys", values.count, times.count));
  channel.times_s.assign(times.values.begin(), times.values.end());
  channel.values.assign(values.values.begin(), values.values.end());
  for (std::size_t i = 0; i < channel.times_s.size(); ++i)
    if (!std::isfinite(channel.times_s[i]) || (i > 0 && channel.times_s[i] < channel.times_s[i - 1]))
      file.fail("the times of an animation are out of order");
  return true;
}

void read_clips(const GltfFile& file, Rig& rig) {
  const std::size_t count = file.list("animations").size();
  for (std::size_t i = 0; i < count; ++i) {
    const Json& animation = file.item("animations", i);
    RigClip clip{gltf_name(animation), {}};
    if (clip.name.empty()) clip.name = std::to_string(i);
    const Json channels = animation.value("channels", Json::array());
    for (const Json& described : channels) {
      RigChannel channel;
      if (described.is_object() && read_channel(file, animation, described, channel))
        clip.channels.push_back(std::move(channel));
    }
    rig.clips.push_back(std::move(clip));
  }
}

}  // namespace

std::int64_t read_rig(const GltfFile& file, std::size_t mesh, Rig& rig) {
  read_nodes(file, rig);
  read_clips(file, rig);
  std::int64_t skin = -1;
  for (std::size_t i = 0; i < rig.nodes.size(); ++i) {  // the first node with a skin, else the first
    const Json& node = file.item("nodes", i);
    if (gltf_integer(file, node, "mesh", -1) != static_cast<std::int64_t>(mesh)) continue;
    const bool has_skin = node.contains("skin");
    if (rig.mesh_node >= 0 && !has_skin) continue;
    rig.mesh_node = static_cast<int>(i);
    if (!has_skin) continue;
    read_skin(file, node["skin"], rig);
    skin = node["skin"].get<std::int64_t>();
    break;
  }
  return skin;
}

}  // namespace imatch
