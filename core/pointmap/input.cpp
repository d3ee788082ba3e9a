// SPDX-License-Identifier: Apache-2.0
#include "pointmap/input.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/upsample_bicubic2d.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <fmt/format.h>

#include <algorithm>

#include "backbone/extract.h"
#include "base/error.h"
#include "base/progress.h"
#include "image/decode.h"
#include "index/principal_axes.h"
#include "io/npy.h"

namespace imatch {
namespace {

constexpr std::size_t kLearnedFrom = 200;  // pictures
constexpr int kTiledMultiple = 16;
constexpr double kLeastDeviation = 1e-4;

/// [3, H, W] uint8, a copy.
at::Tensor bytes_of(const Image& picture) {
  return at::from_blob(const_cast<std::uint8_t*>(picture.rgb.data()), {picture.height, picture.width, 3},
                       at::kByte)
      .permute({2, 0, 1})
      .contiguous();
}

at::Tensor tiled(const std::string& path) {
  const Image picture = open_image(path);
  if (picture.width % picture.height != 0)
    throw Failure(code::kBadFormat, fmt::format("{}: {} x {} px are no square tiles side by side", path,
                                                picture.width, picture.height));
  const std::int64_t side = picture.height, tiles = picture.width / side;
  const at::Tensor channels = bytes_of(picture)
                                  .reshape({3, side, tiles, side})
                                  .permute({2, 0, 1, 3})
                                  .reshape({3 * tiles, side, side});
  const std::int64_t kept = std::max<std::int64_t>(3 * tiles / kTiledMultiple * kTiledMultiple, 1);
  return channels.narrow(0, 0, std::min(kept, 3 * tiles)).to(at::kFloat).div(127).sub(1);
}

at::Tensor array(const std::string& path) {
  at::Tensor features = read_npy(path);
  if (features.dim() == 4 && features.size(0) == 1) features = features.squeeze(0);
  if (features.dim() != 3)
    throw Failure(code::kBadFormat,
                  fmt::format("{}: {} axes; expected [channels, rows, columns]", path, features.dim()));
  return features.is_floating_point() ? features.to(at::kFloat).contiguous()
                                      : features.to(at::kFloat).div(127).sub(1);
}

std::shared_ptr<const Features> tokens_of(const Backbone& backbone, const Image& picture) {
  const Image* const one = &picture;
  return extract_features(backbone, std::span(&one, 1)).front();
}

}  // namespace

PointMapFeatures::PointMapFeatures(PointMapFeatureOptions options) : options_(std::move(options)) {}

PointMapFeatures PointMapFeatures::learned(PointMapFeatureOptions options, std::size_t num_pictures,
                                           const std::function<Image(std::size_t)>& picture) {
  PointMapFeatures features(std::move(options));
  if (features.options_.kind != "backbone") return features;
  if (features.options_.backbone.empty()) throw Error("features: 'backbone' needs the name of one");
  features.backbone_ = open_backbone(features.options_.backbone);
  const std::size_t count = std::min(num_pictures, kLearnedFrom);
  Progress progress("features", "pictures", count);
  std::vector<at::Tensor> tokens;
  for (std::size_t i = 0; i < count; ++i, progress.advance())
    tokens.push_back(tokens_of(*features.backbone_, picture(i * num_pictures / count))->tokens);
  const at::Tensor rows = at::cat(tokens);
  features.mean_ = rows.mean(0);
  const std::int64_t channels = std::min<std::int64_t>(features.options_.channels, rows.size(1));
  if (rows.size(0) <= channels)
    throw Failure(code::kNoResult, fmt::format("features: {} tokens are too few to learn {} axes from",
                                               rows.size(0), channels));
  features.options_.channels = static_cast<int>(channels);
  features.axes_ =
      whitening_axes((rows - features.mean_).contiguous(), static_cast<int>(channels), kLeastDeviation);
  features.axes_ = features.axes_ / at::matmul(rows - features.mean_, features.axes_).std();
  return features;
}

PointMapFeatures PointMapFeatures::restored(const Json& config, const StateDict& extra,
                                            const std::string& title) {
  const Json found =
      config.is_object() && config.contains("features") ? config.at("features") : Json::object();
  PointMapFeatures features(parse_options<PointMapFeatureOptions>(found, title + ": features"));
  if (features.options_.kind != "backbone") return features;
  const at::Tensor* mean = extra.find("feature_mean");
  const at::Tensor* axes = extra.find("feature_axes");
  if (!mean || !axes) throw Failure(code::kBadFormat, title + ": the axes of its features are missing");
  features.mean_ = *mean;
  features.axes_ = *axes;
  features.backbone_ = open_backbone(features.options_.backbone);
  return features;
}

StateDict PointMapFeatures::learned_tensors() const {
  StateDict tensors;
  if (!axes_.defined()) return tensors;
  tensors.add("feature_mean", mean_);
  tensors.add("feature_axes", axes_);
  return tensors;
}

at::Tensor PointMapFeatures::load(const std::string& path) const {
  if (options_.kind == "png") return tiled(path);
  if (options_.kind == "npy") return array(path);
  return of_picture(open_image(path));
}

at::Tensor PointMapFeatures::of_picture(const Image& picture) const {
  if (options_.kind == "rgb") return bytes_of(picture).to(at::kFloat).div(255);
  if (options_.kind != "backbone")
    throw Error(fmt::format("features: '{}' are read from files, not made from a picture", options_.kind));
  const auto found = tokens_of(*backbone_, picture);
  return at::matmul(found->tokens - mean_, axes_).t().reshape({-1, found->rows, found->cols});
}

at::Tensor mask_of_picture(const Image& picture) {
  const at::Tensor values = bytes_of(picture).select(0, 0).to(at::kFloat);
  return values.max().item<float>() > 1 ? values.div(255) : values;
}

PointMapInput point_map_input(const at::Tensor& features, const at::Tensor& mask, int resolution) {
  PointMapInput input{
      .features = at::upsample_bicubic2d(features.unsqueeze(0), {resolution, resolution}, false).squeeze(0),
      .mask = at::ones({resolution, resolution})};
  if (mask.defined())
    input.mask = at::upsample_bilinear2d(mask.unsqueeze(0).unsqueeze(0), {resolution, resolution}, false)
                     .squeeze(0)
                     .squeeze(0)
                     .ge(1.0)
                     .to(at::kFloat);
  input.features = input.features * input.mask;
  return input;
}

}  // namespace imatch
