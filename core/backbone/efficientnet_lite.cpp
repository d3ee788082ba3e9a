// SPDX-License-Identifier: Apache-2.0
#include "backbone/efficientnet_lite.h"

#include "nn/efficientnet_lite.h"

#include <fmt/format.h>

#include <tuple>

#include "backbone/network_backbone.h"
#include "backbone/unwrapped_weights.h"
#include "base/error.h"
#include "base/resources.h"
#include "base/sha256.h"
#include "feature/pooling.h"

namespace imatch {
namespace {

struct EfficientNetLiteOptions : NetworkOptions {
  int stage = 16;
  std::vector<int> stages;
  std::string global = "mean";

  using Self = EfficientNetLiteOptions;
  static constexpr auto fields = std::tuple_cat(
      frame_fields(32),
      std::tuple{
          field("stage", &Self::stage, in_range(8, 32),
                "Stride of the feature map in pixels of the resized image: 8, 16 or 32 (lite0: 40, 112 "
                "and 320 channels). The network runs no further than that."),
          field("stages", &Self::stages, in_range(2, 32),
                "Several of 2, 4, 8, 16 and 32 in place of `stage`, ascending: their maps make a token, one "
                "behind "
                "the other on the grid of the first."),
          field("global", &Self::global, one_of(kPoolings),
                "The image's vector, made of the same feature map: 'mean' of the tokens, 'mean_std' "
                "(with their standard deviation) or 'gem' (p = 3).")},
      dtype_field_with_int8(
          IMATCH_DTYPE_DOC
          " 'int8', on the CPU: the blocks in 8 bits, for which these networks were made, with weights "
          "rounded by channel, what a ReLU6 leaves in steps of 6 / 255, and each pixel between blocks by its "
          "own largest value; stem, first block, head and classifier in float32. Fast where the processor "
          "has AVX512-VNNI. What a type costs in exactness: `imatch-lua backbone check`."),
      weights_field("Another file of weights for the same network, .pth or .safetensors; empty: the ImageNet "
                    "weights that come with the program."),
      running_fields());
};

struct LiteModel {
  const char* name;
  const char* title;
  int trained_px;  ///< Side of the images of the training.
  EfficientNetLiteShape shape;
  const char* file;
  const char* sha256;
};

constexpr LiteModel kLiteModels[] = {
    {"efficientnet_lite0",
     "EfficientNet-Lite0",
     224,
     {},
     "efficientnet-lite0-57934424.pth",
     "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"},
    {"efficientnet_lite1",
     "EfficientNet-Lite1",
     240,
     {.depth = 1.1},
     "efficientnet-lite1-77cc7160.pth",
     "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850"},
    {"efficientnet_lite2",
     "EfficientNet-Lite2",
     260,
     {.width = 1.1, .depth = 1.2},
     "efficientnet-lite2-9656183e.pth",
     "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d"},
};

/// MEAN_RGB and STDDEV_RGB of TensorFlow's efficientnet_lite_builder.py.
constexpr float kMean = 127.0F / 255;
constexpr float kStd = 128.0F / 255;
constexpr Normalization kLiteNormalization{{kMean, kMean, kMean}, {kStd, kStd, kStd}};

OpenedNetwork open_lite(const LiteModel& model, const EfficientNetLiteOptions& options, NetworkPlace place) {
  if (options.stage != 8 && options.stage != 16 && options.stage != 32)
    throw Error(
        fmt::format("{} options: stage: {} is not allowed; expected 8, 16 or 32", model.name, options.stage));
  std::vector<int> stages = options.stages;
  if (stages.empty()) stages = {options.stage};
  for (std::size_t i = 0; i < stages.size(); ++i)
    if ((stages[i] & (stages[i] - 1)) != 0 || (i > 0 && stages[i] <= stages[i - 1]))
      throw Error(
          fmt::format("{} options: stages: expected some of 2, 4, 8, 16 and 32, ascending", model.name));
  const bool shipped = options.weights.empty();
  const std::string path = shipped ? resource_folder("weights") + "/" + model.file : options.weights;
  std::string sha256 = sha256_file(path);
  if (shipped && sha256 != model.sha256)
    throw Failure(code::kBadWeights, fmt::format("{}: the SHA-256 is {}; expected {}: the file is damaged",
                                                 path, sha256, model.sha256));
  constexpr std::string_view kLandmarks[] = {"_conv_stem.weight"};
  UnwrappedWeights weights = unwrap_weights(load_state_dict(path), kLandmarks, {});
  WeightsCheckpoint checkpoint(fmt::format("{} weights {}", model.name, path), weights.tensors, place.device,
                               place.dtype);
  checkpoint.round_weights(place.rounding);
  return {.network = std::make_unique<EfficientNetLite>(model.shape, std::move(stages), checkpoint),
          .weights_sha256 = std::move(sha256),
          .weights_rule = std::move(weights.rule),
          .normalization = kLiteNormalization,
          .pooling = options.global};
}

}  // namespace

std::vector<BackboneKind> efficientnet_lite_kinds() {
  std::vector<BackboneKind> kinds;
  for (const LiteModel& model : kLiteModels)
    kinds.push_back(network_kind<EfficientNetLiteOptions>(
        {.name = model.name,
         .doc = fmt::format("{} trained on ImageNet at {} px: feature maps at 8, 16 or 32 px. Comes with the "
                            "program.",
                            model.title, model.trained_px),
         .open = [&model](const EfficientNetLiteOptions& options, NetworkPlace place) {
           return open_lite(model, options, place);
         }}));
  return kinds;
}

}  // namespace imatch
