// SPDX-License-Identifier: Apache-2.0
#include "backbone/network_backbone.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "backbone/spec.h"
#include "base/device.h"
#include "base/error.h"
#include "base/saved_time.h"
#include "feature/pooling.h"

namespace imatch {
namespace {

WorkingFrame frame_for(const NetworkOptions& options, const OpenedNetwork& opened) {
  const InputSizeRule rule = opened.network->input_size();
  const std::vector<int> strides = opened.network->strides_px();
  WorkingFrame frame = frame_of(options, *std::ranges::min_element(strides));
  frame.multiple_px = std::lcm(rule.multiple_px, frame.stride_px);
  frame.cut_multiple_px = rule.cut_multiple_px > 0 ? rule.cut_multiple_px : frame.multiple_px;
  frame.processor = opened.processor;
  if (rule.is_fixed()) frame.fixed = ImageSize{rule.fixed_width_px, rule.fixed_height_px};
  return frame;
}

/// [N, C, rows, cols] -> [N, rows, cols, C].
at::Tensor channels_behind(const at::Tensor& map) {
  return map.permute({0, 2, 3, 1});
}

}  // namespace

NetworkBackbone::NetworkBackbone(std::string spec, const NetworkOptions& options, NetworkPlace place,
                                 OpenedNetwork opened)
    : spec_(std::move(spec)),
      opened_(std::move(opened)),
      input_{.frame = frame_for(options, opened_),
             .normalization = opened_.normalization,
             .device = place.device,
             .dtype = place.dtype,
             .batch_size = batch_size_on(place.device, options.batch_size)},
      recorded_([this](const at::Tensor& x) { return tokens_and_globals(x); },
                cuda::graph_recorder(place.device)) {}

std::vector<at::Tensor> NetworkBackbone::tokens_and_globals(const at::Tensor& images) const {
  const std::vector<LayerOutput> layers = opened_.network->forward(images);
  const at::Tensor& finest =
      std::ranges::max_element(layers, {}, [](const LayerOutput& l) { return l.map.size(2); })->map;
  std::vector<at::Tensor> parts;
  for (const LayerOutput& layer : layers)
    parts.push_back(layer.map.sizes().slice(2) == finest.sizes().slice(2)
                        ? layer.map
                        : at::upsample_bilinear2d(layer.map, {finest.size(2), finest.size(3)}, false));
  const at::Tensor tokens = channels_behind(parts.size() == 1 ? finest : at::cat(parts, 1));
  const LayerOutput& last = layers.back();
  const std::string& pooling = opened_.pooling;
  if (pooling == "mean_prenorm") return {tokens, last.mean_prenorm};
  if ((pooling.empty() || pooling == "class") && last.global.defined()) return {tokens, last.global};
  return {tokens, pool_tokens(channels_behind(last.map).flatten(1, 2).to(at::kFloat),
                              pooling.empty() || pooling == "mean_patches" ? "mean" : pooling)};
}

std::vector<Features> NetworkBackbone::extract(std::span<const Image* const> images) const {
  std::vector<Features> list(images.size());
  forward_images(
      images, input_, [this](const at::Tensor& x) { return recorded_(x); },
      [&](std::size_t i, const std::vector<at::Tensor>& share) {
        const Image& image = *images[i];
        Features& features = list[i];
        // Copies: views would keep the tokens that are no patches and the other images alive.
        features.tokens = share[0].flatten(0, 1).clone(at::MemoryFormat::Contiguous);
        features.global = share[1].clone();
        features.rows = static_cast<int>(share[0].size(0));
        features.cols = static_cast<int>(share[0].size(1));
        features.original_from_grid = input_.frame.original_from_grid(image);
        features.image_width = image.width;
        features.image_height = image.height;
        features.backbone = spec_;
      });
  return list;
}

std::vector<std::vector<at::Tensor>> NetworkBackbone::layer_maps(std::span<const Image* const> images) const {
  std::vector<std::vector<at::Tensor>> list(images.size());
  forward_images(
      images, input_,
      [this](const at::Tensor& x) {
        std::vector<at::Tensor> maps;
        for (LayerOutput& layer : opened_.network->forward(x)) maps.push_back(std::move(layer.map));
        return maps;
      },
      [&](std::size_t i, const std::vector<at::Tensor>& share) {
        for (const at::Tensor& map : share) list[i].push_back(map.clone(at::MemoryFormat::Contiguous));
      });
  return list;
}

at::Tensor NetworkBackbone::logits(std::span<const Image* const> images) const {
  const Classifier* classifier = opened_.network->classifier();
  if (!classifier) throw Error(fmt::format("{}: this backbone has no classes", spec_));
  at::Tensor all = at::empty({static_cast<std::int64_t>(images.size()), classifier->classes()}, at::kFloat);
  forward_images(
      images, input_, [&](const at::Tensor& x) { return std::vector<at::Tensor>{classifier->logits(x)}; },
      [&](std::size_t i, const std::vector<at::Tensor>& share) {
        all[static_cast<std::int64_t>(i)].copy_(share[0]);
      });
  return all;
}

std::int64_t classes_of(const Backbone& backbone) {
  const NetworkBackbone* network = backbone.as_network();
  const Classifier* classifier = network ? network->network().classifier() : nullptr;
  return classifier ? classifier->classes() : 0;
}

at::Tensor class_logits(const Backbone& backbone, std::span<const Image* const> images) {
  if (classes_of(backbone) == 0)
    throw Error(fmt::format("{}: this backbone has no classes", backbone.spec()));
  return backbone.as_network()->logits(images);
}

std::string network_spec(const std::string& name, Json options, const Json& defaults) {
  for (const auto& [key, value] : defaults.items()) {
    const bool is_nothing =
        value.is_null() || value == "" || value == 0 || (value.is_array() && value.empty());
    if (key == "device" || key == "batch_size" || (is_nothing && options[key] == value)) options.erase(key);
  }
  return format_spec({name, options});
}

NetworkPlace place_of(const NetworkOptions& options) {
  using enum WeightsCheckpoint::Rounding;
  const c10::Device device = resolve_device(options.device);
  if (options.dtype == "int8" && !device.is_cpu())
    throw Error(
        fmt::format("backbone options: dtype: 'int8' runs on the CPU; the device is '{}'", device.str()));
  return {device, scalar_type_named(options.dtype),
          options.dtype == "fp32_w16" ? kFloat16
          : options.dtype == "int8"   ? kInt8
                                      : kNone};
}

double forward_seconds(const NetworkBackbone& backbone, int image_size) {
  constexpr int kTurns = 3, kUsualSide = 448;
  constexpr double kEnough = 2;  // seconds, after which no other turn begins
  const int side = image_size > 0 ? image_size : kUsualSide;
  const std::vector<Image> blanks(backbone.input().batch_size, Image(side, side));
  std::vector<const Image*> images;
  for (const Image& blank : blanks) images.push_back(&blank);
  double least = std::numeric_limits<double>::infinity(), all = 0;
  for (int turn = 0; turn <= kTurns && (turn == 0 || all < kEnough); ++turn) {
    const Stopwatch watch;
    backbone.extract(images);
    const double seconds = watch.ms() / 1000;
    all += seconds;
    if (turn > 0 || all >= kEnough) least = std::min(least, seconds);
  }
  return least;
}

}  // namespace imatch
