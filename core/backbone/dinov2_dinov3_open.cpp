// SPDX-License-Identifier: Apache-2.0
#include "backbone/dinov2_dinov3_open.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <span>

#include "backbone/hf_folder.h"
#include "backbone/hf_folder_names.h"
#include "backbone/unwrapped_weights.h"
#include "base/error.h"
#include "base/sha256.h"

namespace imatch {
namespace {

/// Checks a folder's configuration entry by entry against the model.
class ConfigCheck {
 public:
  ConfigCheck(const Json& config, std::string title) : config_(config), title_(std::move(title)) {}

  void number(const char* key, double missing, double expected) const {
    const double value = config_number(config_, key, missing);
    if (value != expected) fail(key, fmt::format("{}", value), fmt::format("{}", expected));
  }
  void flag(const char* key, bool missing, bool expected) const {
    const bool value = config_flag(config_, key, missing);
    if (value != expected) fail(key, fmt::format("{}", value), fmt::format("{}", expected));
  }
  void text(const char* key, const std::string& missing, const std::string& expected) const {
    const std::string value = config_text(config_, key, missing);
    if (value != expected) fail(key, "'" + value + "'", "'" + expected + "'");
  }

 private:
  [[noreturn]] void fail(const char* key, const std::string& value, const std::string& expected) const {
    throw Failure(code::kBadWeights,
                  fmt::format("{}: config.json: {} is {}; expected {}", title_, key, value, expected));
  }

  const Json& config_;
  std::string title_;
};

std::string same_name(std::string_view official) {
  return std::string(official);
}

/// A checkpoint with what its layout says beside the tensors.
struct Source {
  StateDict tensors;
  std::string sha256;
  std::string rule;  ///< See UnwrappedWeights.
  bool is_hf = false;
  Json config = Json::object();
};

constexpr std::string_view kOfficial[] = {"patch_embed.proj.weight", "downsample_layers.0.0.weight"};
constexpr std::string_view kHf[] = {"embeddings.patch_embeddings.projection.weight",
                                    "embeddings.patch_embeddings.weight",
                                    "stages.0.downsample_layers.0.weight"};
/// What trainers put on top of a network, or beside it.
constexpr std::string_view kHeads[] = {"head.",     "heads.",       "classifier.", "fc.",
                                       "linear.",   "linear_head.", "dino_head.",  "ibot_head.",
                                       "cls_head.", "decode_head.", "projector.",  "predictor."};

/// The tensors of a folder of transformers may have a model around them ("dinov2.") and a classifier beside.
Source from_folder(const std::string& path, bool with_preprocessor) {
  HfFolder folder = read_hf_folder(path, with_preprocessor);
  UnwrappedWeights unwrapped = unwrap_weights(folder.tensors, kHf, kHeads);
  return {.tensors = std::move(unwrapped.tensors),
          .sha256 = std::move(folder.sha256),
          .rule = std::move(unwrapped.rule),
          .is_hf = true,
          .config = std::move(folder.config)};
}

/// A file of tensors with the names of transformers is a part of a folder: its configuration stands beside
/// it.
Source read_source(const std::string& path, bool with_preprocessor, const std::string& title) {
  namespace fs = std::filesystem;
  if (fs::is_directory(path)) return from_folder(path, with_preprocessor);
  const StateDict file = load_state_dict(path);
  UnwrappedWeights unwrapped = unwrap_weights(file, kOfficial, kHeads);
  const auto has_one_of = [](const StateDict& tensors, std::span<const std::string_view> names) {
    return std::ranges::any_of(names, [&](std::string_view name) { return tensors.find(name) != nullptr; });
  };
  if (has_one_of(unwrapped.tensors, kOfficial) || !has_one_of(unwrap_weights(file, kHf, kHeads).tensors, kHf))
    return {.tensors = std::move(unwrapped.tensors),
            .sha256 = sha256_file(path),
            .rule = std::move(unwrapped.rule)};
  const fs::path folder = fs::path(path).has_parent_path() ? fs::path(path).parent_path() : fs::path(".");
  if (!fs::exists(folder / "config.json"))
    throw Failure(
        code::kBadWeights,
        fmt::format("{}: its tensors have the names of transformers, and there is no config.json beside it",
                    title));
  return from_folder(folder.string(), with_preprocessor);
}

/// As many blocks as the tensors say, and positions over as many patches.
void adapt(VisionTransformerShape& shape, const DinoRequest& request, const Source& source) {
  const bool rotary = shape.positions == PositionScheme::kRotary;
  const int found = count_blocks(source.tensors, !source.is_hf ? "blocks."
                                                 : rotary      ? "layer."
                                                               : "encoder.layer.");
  if (request.depth > 0)
    shape.depth = request.depth;
  else if (found > 0)
    shape.depth = found;
}

/// The settings that no tensor's shape shows. `missing` values are the defaults of transformers' classes.
VisionTransformerRules transformers_rules(const Json& config, const std::string& title,
                                          VisionTransformerShape& shape) {
  const ConfigCheck check(config, title);
  const bool rotary = shape.positions == PositionScheme::kRotary;
  const bool gelu = shape.feed_forward == FeedForward::kGelu;
  check.text("model_type", "",
             rotary                ? "dinov3_vit"
             : shape.registers > 0 ? "dinov2_with_registers"
                                   : "dinov2");
  check.number("num_attention_heads", rotary ? 6 : 12, shape.heads);
  check.number("num_hidden_layers", 12, shape.depth);
  check.number("patch_size", rotary || shape.registers > 0 ? 16 : 14, shape.patch_px);
  check.flag(rotary ? "use_gated_mlp" : "use_swiglu_ffn", false, !gelu);
  if (rotary || gelu) check.text("hidden_act", "gelu", gelu ? "gelu" : "silu");
  shape.norm_eps = config_number(config, "layer_norm_eps", rotary ? 1e-5 : 1e-6);
  VisionTransformerRules rules;
  rules.split_qkv = true;
  if (rotary) rules.rotary_base = config_number(config, "rope_theta", 100);
  rules.resampling = GridResampling::kPlain;
  return rules;
}

/// 0-based. `what` are blocks or stages, of which there are `count`.
std::vector<int> layers_of(const DinoModel& model, const DinoRequest& request, int count, const char* what) {
  std::vector<int> layers;
  for (const int asked : request.layers) {
    const int layer = asked < 0 ? asked + count : asked;
    if (layer < 0 || layer >= count)
      throw Error(fmt::format("{} options: layer: {} is not allowed; expected a {}, an integer in [{}, {}]",
                              model.alias, asked, what, -count, count - 1));
    if (!layers.empty() && layer <= layers.back())
      throw Error(fmt::format("{} options: layers: {} comes behind {}; expected rising {}s", model.alias,
                              asked, layers.back(), what));
    layers.push_back(layer);
  }
  return layers;
}

OpenedNetwork open(const VisionTransformerShape& published, const DinoModel& model, const Source& source,
                   const DinoRequest& request, const std::string& title, NetworkPlace place) {
  VisionTransformerShape shape = published;
  adapt(shape, request, source);
  const std::vector<int> layers = layers_of(model, request, shape.depth, "block");
  VisionTransformerRules rules;
  if (source.is_hf) rules = transformers_rules(source.config, title, shape);
  if (shape.registers > 0) rules.resampling = GridResampling::kAntialiased;
  const bool rotary = shape.positions == PositionScheme::kRotary;
  WeightsCheckpoint checkpoint(title, source.tensors,
                               !source.is_hf ? same_name
                               : rotary      ? hf_dinov3_name
                                             : hf_dinov2_name,
                               place.device, place.dtype);
  checkpoint.round_weights(place.rounding);
  return {.network = std::make_unique<VisionTransformer>(shape, rules, layers, request.facet, checkpoint),
          .weights_sha256 = source.sha256,
          .weights_rule = source.rule};
}

OpenedNetwork open(const ConvNextShape& published, const DinoModel& model, const Source& source,
                   const DinoRequest& request, const std::string& title, NetworkPlace place) {
  constexpr int kStages = 4;
  const std::vector<int> stages = layers_of(model, request, kStages, "stage");
  if (request.facet != Facet::kToken)
    throw Error(fmt::format("{} options: facet: a ConvNeXt has no attention; expected 'token'", model.alias));
  if (request.depth != 0)
    throw Error(fmt::format("{} options: depth: {} is not allowed for a ConvNeXt; expected 0", model.alias,
                            request.depth));
  ConvNextShape shape = published;
  if (source.is_hf) {
    const ConfigCheck check(source.config, title);
    check.text("model_type", "", "dinov3_convnext");
    check.text("hidden_act", "gelu", "gelu");
    shape.norm_eps = config_number(source.config, "layer_norm_eps", 1e-6);
  }
  WeightsCheckpoint checkpoint(title, source.tensors, source.is_hf ? hf_dinov3_convnext_name : same_name,
                               place.device, place.dtype);
  checkpoint.round_weights(place.rounding);
  return {.network = std::make_unique<ConvNext>(shape, stages, checkpoint),
          .weights_sha256 = source.sha256,
          .weights_rule = source.rule};
}

}  // namespace

OpenedNetwork open_dino_network(const DinoModel& model, const DinoRequest& request, NetworkPlace place) {
  const std::string title = fmt::format("{} weights {}", model.alias, request.weights);
  const Source source = read_source(request.weights, request.with_preprocessor, title);
  return std::visit([&](const auto& shape) { return open(shape, model, source, request, title, place); },
                    model.shape);
}

PublishedWeights published_weights(const DinoModel& model) {
  const bool second = model.hub.starts_with("dinov2");
  return {.model = std::string(model.alias),
          .files = {std::string(model.file), std::string(model.hf_folder) + "/config.json"},
          .source = second ? fmt::format("https://dl.fbaipublicfiles.com/dinov2/{}/{}",
                                         model.hub.substr(0, model.hub.find("_reg")), model.file)
                           : "https://github.com/facebookresearch/dinov3"};
}

}  // namespace imatch
