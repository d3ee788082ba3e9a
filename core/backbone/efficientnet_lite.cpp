// SPDX-License-Identifier: Apache-2.0
#include "backbone/efficientnet_lite.h"

#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include "backbone/spec.h"
#include "base/device.h"
#include "base/error.h"
#include "base/resources.h"
#include "base/sha256.h"

namespace imatch {
namespace {

constexpr const char* kWeightsFile = "efficientnet-lite0-57934424.pth";
constexpr const char* kWeightsSha256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db";

/// MEAN_RGB and STDDEV_RGB of TensorFlow's efficientnet_lite_builder.py.
constexpr float kMean = 127.0F / 255;
constexpr float kStd = 128.0F / 255;
constexpr Normalization kNormalization{{kMean, kMean, kMean}, {kStd, kStd, kStd}};

}  // namespace

EfficientNetLite::EfficientNetLite(Options options)
    : options_(std::move(options)),
      input_{.frame = {.mode = options_.resize,
                       .image_size_px = options_.image_size,
                       .stride_px = options_.stage},
             .normalization = kNormalization,
             .device = resolve_device(options_.device),
             .dtype = scalar_type_named(options_.dtype)} {
  if (options_.stage != 8 && options_.stage != 16 && options_.stage != 32)
    throw Error(
        fmt::format("{} options: stage: {} is not allowed; expected 8, 16 or 32", kName, options_.stage));
  input_.batch_size = batch_size_on(input_.device, options_.batch_size);

  const bool shipped = options_.weights.empty();
  const std::string path = shipped ? resource_folder("weights") + "/" + kWeightsFile : options_.weights;
  sha256_ = sha256_file(path);
  if (shipped && sha256_ != kWeightsSha256)
    throw Failure(code::kBadWeights, fmt::format("{}: the SHA-256 is {}; expected {}: the file is damaged",
                                                 path, sha256_, kWeightsSha256));
  const c10::InferenceMode guard;
  network_.emplace(load_state_dict(path), input_.device, input_.dtype);
}

std::vector<Features> EfficientNetLite::extract(std::span<const Image* const> images) const {
  const auto forward = [this](const at::Tensor& x) {
    const at::Tensor map = network_->stage(x, options_.stage);  // [N, C, rows, cols]
    TokenGrid grid;
    grid.rows = map.size(2);
    grid.cols = map.size(3);
    grid.tokens = map.permute({0, 2, 3, 1}).flatten(1, 2).to(at::kCPU, at::kFloat);
    grid.globals = pool_tokens(grid.tokens, options_.global);
    return grid;
  };
  std::vector<Features> list = extract_token_grids(images, input_, forward);
  for (Features& features : list) features.backbone = spec();
  return list;
}

at::Tensor EfficientNetLite::logits(std::span<const Image* const> images) const {
  return extract_logits(images, input_, kImageNetClasses,
                        [this](const at::Tensor& x) { return network_->logits(x); });
}

std::string EfficientNetLite::spec() const {
  Json shaping = options_to_json(options_);
  shaping.erase("device");
  shaping.erase("batch_size");
  if (options_.weights.empty()) shaping.erase("weights");
  return format_spec({kName, shaping});
}

}  // namespace imatch
