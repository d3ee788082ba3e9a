// SPDX-License-Identifier: Apache-2.0
#include "anomaly/openvino_scorer.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/tensor.h>

#include <memory>
#include <utility>

#include "base/error.h"

namespace imatch {
namespace {

/// [1, 1, height, width] over the map's own values.
at::Tensor tensor_of(AnomalyMap&& map) {
  auto owner = std::make_shared<AnomalyMap>(std::move(map));
  return at::from_blob(
      owner->values.data(), {1, 1, owner->height, owner->width}, [owner](void*) {}, at::kFloat);
}

}  // namespace

OpenVinoScorer::OpenVinoScorer(const AnomalyModelConfig& config, std::optional<InspectedRegion> region,
                               const std::string& xml_path, const InspectorOptions& options)
    : config_(config), region_(std::move(region)) {
  try {
    inspector_ = std::make_unique<const Inspector>(xml_path, options);
  } catch (const std::runtime_error& e) {
    throw Failure(code::kBadFormat, e.what());
  }
}

ImageScore OpenVinoScorer::score(const Image& image) const {
  const AnomalyInputs inputs = anomaly_views(image, config_, region_);
  if (!inputs.found) return region_missing(inputs.correlation);
  double inference_ms = 0;
  std::vector<float> scores;
  std::vector<at::Tensor> maps;
  for (const PixelRect& view : inputs.views) {
    const std::uint8_t* pixels = image.pixel(inputs.rect.x + view.x, inputs.rect.y + view.y);
    Inspection found =
        inspector_->inspect_rgb(pixels, view.width, view.height, static_cast<std::size_t>(image.width) * 3);
    inference_ms += found.inference_ms;
    scores.push_back(found.score);
    maps.push_back(tensor_of(std::move(found.map)));
  }
  // A copy of LibTorch's would wake its threads, which then spin beside OpenVINO's for longer than an
  // inference takes.
  ImageScore joined =
      joined_score(inputs, at::tensor(scores), maps.size() == 1 ? maps.front() : at::cat(maps));
  joined.inference_ms = inference_ms;
  return joined;
}

}  // namespace imatch
