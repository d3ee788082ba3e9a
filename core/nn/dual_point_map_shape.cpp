// SPDX-License-Identifier: Apache-2.0
//
// The shape of a dual point map network, read off the names and sizes of its weights.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <set>

#include "base/error.h"
#include "nn/dual_point_map.h"

namespace imatch {
namespace {

/// "nets.depth_encoder.enc.160x160_block0.norm0.weight" in its parts.
struct BlockName {
  std::string_view before;  ///< "nets.depth_encoder.enc."
  int resolution = 0;
  std::string_view after = {};  ///< "_block0.norm0.weight"
};

std::optional<BlockName> block_name(std::string_view name) {
  for (const char* side : {".enc.", ".dec."}) {
    const std::size_t at = name.find(side);
    if (at == std::string_view::npos) continue;
    BlockName found{.before = name.substr(0, at + 5)};
    const std::string_view rest = name.substr(at + 5);
    int again = 0;
    const char* end = rest.data() + rest.size();
    const auto first = std::from_chars(rest.data(), end, found.resolution);
    if (first.ec != std::errc() || first.ptr == end || *first.ptr != 'x') return std::nullopt;
    const auto second = std::from_chars(first.ptr + 1, end, again);
    if (second.ec != std::errc() || again != found.resolution || found.resolution < 1) return std::nullopt;
    found.after = {second.ptr, static_cast<std::size_t>(end - second.ptr)};
    return found;
  }
  return std::nullopt;
}

/// Resolutions of the levels, the largest first.
std::vector<int> levels_of(const StateDict& weights) {
  std::set<int, std::greater<>> found;
  for (const auto& [name, tensor] : weights)
    if (const auto block = block_name(name)) found.insert(block->resolution);
  return {found.begin(), found.end()};
}

class ShapeReader {
 public:
  ShapeReader(const StateDict& weights, const std::string& title) : weights_(weights), title_(title) {}

  DualPointMapShape read() const {
    const std::vector<int> levels = levels_of(weights_);
    if (levels.empty())
      fail("no dual point map network: no tensor is named like nets.depth_encoder.enc.160x160_conv.weight");
    for (std::size_t i = 1; i < levels.size(); ++i)
      if (levels[i] * 2 != levels[i - 1])
        fail(fmt::format("no dual point map network: the levels {} and {} are not halves", levels[i - 1],
                         levels[i]));
    DualPointMapShape shape;
    shape.resolution = levels.front();
    const auto first_conv = [&](const char* net) {
      return size(fmt::format("{}enc.{}x{}_conv.weight", net, levels[0], levels[0]), 4);
    };
    const auto last_conv = [&](const char* net) {
      return size(fmt::format("{}dec.{}x{}_aux_conv.weight", net, levels[0], levels[0]), 4);
    };
    const int depth_in = first_conv(DualPointMap::kDepthNet)[1],
              canonical_in = first_conv(DualPointMap::kCanonicalNet)[1];
    const int depth_out = last_conv(DualPointMap::kDepthNet)[0],
              canonical_out = last_conv(DualPointMap::kCanonicalNet)[0];
    // The first stage makes one point; where both do, it is the one that does not see a point alone.
    shape.depth_first = depth_out == 3 && (canonical_out != 3 || (canonical_in == 3 && depth_in != 3));
    shape.in_channels = shape.depth_first ? depth_in : canonical_in;
    const int second_in = shape.depth_first ? canonical_in : depth_in;
    shape.image_conditioning = second_in == shape.in_channels + 3;
    const int made = (shape.depth_first ? canonical_out : depth_out) + 3;
    shape.layers = made >= 8 ? made / 8 : 1;
    shape.confidence = made != 6;
    shape.model_channels = first_conv(DualPointMap::kDepthNet)[0];
    shape.multipliers.clear();
    shape.attention_resolutions.clear();
    shape.blocks = 0;
    const std::string first = fmt::format("{}enc.{}x{}_block", DualPointMap::kDepthNet, levels[0], levels[0]);
    while (weights_.find(fmt::format("{}{}.conv0.weight", first, shape.blocks))) ++shape.blocks;
    for (const int level : levels) {
      const std::string block = fmt::format("{}enc.{}x{}_block0", DualPointMap::kDepthNet, level, level);
      shape.multipliers.push_back(static_cast<int>(size(block + ".conv0.weight", 4)[0]) /
                                  std::max(1, shape.model_channels));
      if (weights_.find(block + ".qkv.weight")) shape.attention_resolutions.push_back(level);
    }
    if (made != shape.out_channels() || (second_in != 3 && !shape.image_conditioning))
      fail(fmt::format("no dual point map network: its second stage makes {} channels of {}", made - 3,
                       second_in));
    return shape;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Failure(code::kBadWeights, title_ + ": " + what);
  }

  std::vector<int> size(const std::string& name, std::size_t dimensions) const {
    const at::Tensor* tensor = weights_.find(name);
    if (!tensor) fail(fmt::format("the tensor '{}' is missing", name));
    if (static_cast<std::size_t>(tensor->dim()) != dimensions)
      fail(fmt::format("the tensor '{}' has {} dimensions; expected {}", name, tensor->dim(), dimensions));
    return {tensor->sizes().begin(), tensor->sizes().end()};
  }

  const StateDict& weights_;
  const std::string& title_;
};

}  // namespace

DualPointMapShape DualPointMap::shape_of(const StateDict& weights, const std::string& title) {
  return ShapeReader(weights, title).read();
}

StateDict DualPointMap::at_resolution(const StateDict& weights, int resolution, const std::string& title) {
  const std::vector<int> levels = levels_of(weights);
  UNetShape{.resolution = resolution,
            .multipliers = std::vector<int>(std::max<std::size_t>(levels.size(), 1), 1)}
      .validate();
  std::map<int, int> renamed;
  for (std::size_t i = 0; i < levels.size(); ++i) renamed[levels[i]] = resolution >> i;
  StateDict result;
  for (const auto& [name, tensor] : weights) {
    const auto block = block_name(name);
    if (!block)
      throw Failure(code::kBadWeights,
                    fmt::format("{}: the tensor '{}' is not part of the network", title, name));
    const int level = renamed.at(block->resolution);
    result.add(fmt::format("{}{}x{}{}", block->before, level, level, block->after), tensor);
  }
  return result;
}

}  // namespace imatch
