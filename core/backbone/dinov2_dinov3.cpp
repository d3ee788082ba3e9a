// SPDX-License-Identifier: Apache-2.0
#include "backbone/dinov2_dinov3.h"

#include <fmt/format.h>

#include <filesystem>
#include <tuple>

#include "backbone/dinov2_dinov3_open.h"
#include "backbone/hf_preprocessor.h"
#include "backbone/network_backbone.h"

namespace imatch {
namespace {

struct DinoOptions : NetworkOptions {
  int layer = -1;
  std::vector<int> layers;
  std::string facet = "token";
  std::string global = "class";
  int depth = 0;

  static constexpr std::string_view kDinoResizes[] = {"shorter", "longer",      "exact",
                                                      "keep",    "shorter_cut", "processor"};
  static constexpr std::string_view kGlobals[] = {"class", "mean_patches", "mean_prenorm", "gem"};
  static constexpr const char* kDinoResizeDoc =
      "Which side: 'shorter', 'longer' (aspect kept, both sides rounded to whole tokens), 'exact' (a "
      "square), "
      "'keep' (the image's own size, rounded alike), 'shorter_cut' (what is over is cut off right and below) "
      "or 'processor': resized, cropped and normalised as preprocessor_config.json of a folder of Hugging "
      "Face says, which decides `interpolation` and `arithmetic` too; image_size is its shortest edge, and 0 "
      "leaves it the size that it names.";
  static constexpr std::string_view kFacets[] = {"token", "key", "query", "value"};
  using Self = DinoOptions;
  static constexpr auto fields = std::tuple_cat(
      frame_fields(0, one_of(kDinoResizes), kDinoResizeDoc),
      std::tuple{
          field("layer", &Self::layer, anything(),
                "Block of a vision transformer, or stage of a ConvNeXt (strides 4, 8, 16, 32 px), whose "
                "tokens are taken: from 0 on, or from the end, -1 being the last. The final norm is "
                "applied to any block, but to the last stage only."),
          field("layers", &Self::layers, anything(),
                "Several of them instead, in rising order, whose vectors make a token one behind the "
                "other, on the grid of the finest; empty: `layer` alone."),
          field("facet", &Self::facet, one_of(kFacets),
                "'token': the output of the block; 'key', 'query', 'value': vectors of its attention, "
                "before the rotary embedding and without norm."),
          field("global", &Self::global, one_of(kGlobals),
                "The image's vector: 'class': the class token behind the final norm, which transformers "
                "calls pooler_output; 'mean_patches': the mean of the patch tokens, and 'gem' their "
                "generalised mean (p = 3); 'mean_prenorm': the mean of all tokens of the block's output "
                "(class, registers or storage, patches) before the final norm."),
          field("depth", &Self::depth, in_range(0, 1024),
                "Blocks that the weights have, for a vision transformer cut or grown; 0: as many as there "
                "are in the file.")},
      dtype_field_with_int8(IMATCH_DTYPE_DOC
                            " 'int8', on the CPU: products of linear layers in 8 bits, weights rounded by "
                            "output and activations by token, the factors of attention in bfloat16, all else "
                            "in float32; fast where the processor has AVX512-VNNI and AVX512_BF16. What a "
                            "type costs in exactness: `imatch-lua backbone check`."),
      weights_field(
          "Official file (.pth, or .safetensors with the same names) or folder of Hugging Face "
          "(config.json with model.safetensors or pytorch_model.bin; either file stands for its folder), "
          "each used "
          "by the rules of those who wrote it; empty: searched by the published names under `weights_root`. "
          "What a "
          "training wrote is unwrapped: the network under 'model', 'teacher', 'state_dict', 'module.', "
          "'backbone.' or any other prefix, the teacher before a moving average before others before the "
          "student; wrappers' names, chunks of blocks and heads are taken out (Backbone:weights_rule). Depth "
          "and grid of positions are the tensors' own. Not read: timm's names ('reg_token'), grids of "
          "positions that are not square, sharded training states, pickled modules, low-rank adapters."),
      weights_root_field(), running_fields());
};

Facet facet_named(const std::string& name) {
  if (name == "key") return Facet::kKey;
  if (name == "query") return Facet::kQuery;
  return name == "value" ? Facet::kValue : Facet::kToken;
}

constexpr int kLeastImageSize = 14;

OpenedNetwork open_dino(const DinoModel& model, DinoOptions& options, NetworkPlace place) {
  const bool by_processor = options.resize == "processor";
  if (options.image_size < kLeastImageSize && !(by_processor && options.image_size == 0))
    throw Error(
        fmt::format("{} options: image_size: {} is not allowed; expected an integer in [{}, 4096], or 0 with "
                    "resize = 'processor'",
                    model.alias, options.image_size, kLeastImageSize));
  DinoRequest request{.weights = options.weights,
                      .layers = options.layers.empty() ? std::vector{options.layer} : options.layers,
                      .facet = facet_named(options.facet),
                      .depth = options.depth,
                      .with_preprocessor = by_processor};
  if (request.weights.empty()) request.weights = find_weights(published_weights(model), options.weights_root);
  if (by_processor && !std::filesystem::is_directory(request.weights))
    throw Error(
        fmt::format("{} options: resize: 'processor' is not allowed with the file {}; expected a "
                    "folder of Hugging Face with preprocessor_config.json",
                    model.alias, request.weights));
  OpenedNetwork opened = open_dino_network(model, request, place);
  opened.pooling = options.global;
  opened.normalization = normalization(model.normalization);
  if (!by_processor) return opened;
  HfPreprocessor processor = read_hf_preprocessor(request.weights, options.image_size);
  opened.normalization = processor.normalization;
  opened.processor = processor.steps;
  options.interpolation = processor.interpolation;
  options.arithmetic = processor.arithmetic;
  return opened;
}

std::string doc_of(const DinoModel& model) {
  return fmt::format("{} ({}): {} for every {} px, and its class token. Weights: {}.",
                     model.hub.starts_with("dinov2") ? "DINOv2" : "DINOv3", model.hub,
                     model.is_convnext() ? "a cell" : "a token",
                     model.is_convnext() ? 32 : std::get<VisionTransformerShape>(model.shape).patch_px,
                     model.file);
}

}  // namespace

std::vector<BackboneKind> dino_kinds() {
  std::vector<BackboneKind> kinds;
  for (const DinoModel& model : kDinoModels)
    kinds.push_back(network_kind<DinoOptions>(
        {.name = std::string(model.alias),
         .doc = doc_of(model),
         .open = [&model](DinoOptions& options,
                          NetworkPlace place) { return open_dino(model, options, place); },
         .published = PublishedModel{published_weights(model), std::string(model.hub),
                                     std::string(model.normalization)}}));
  return kinds;
}

}  // namespace imatch
