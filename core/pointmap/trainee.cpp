// SPDX-License-Identifier: Apache-2.0
#include "pointmap/trainee.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/stack.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/device.h"
#include "base/error.h"
#include "image/encode.h"
#include "pointmap/loss.h"
#include "pointmap/map_picture.h"
#include "pointmap/samples.h"

namespace imatch {
namespace {

constexpr std::int64_t kShown = 4;     // samples of a picture
constexpr std::size_t kLookedAt = 32;  // samples, for whether they may be mirrored

DualPointMapShape shape_of(const PointMapNetworkOptions& network, int in_channels) {
  return {.in_channels = in_channels,
          .resolution = network.resolution,
          .model_channels = network.model_channels,
          .multipliers = network.multipliers,
          .blocks = network.blocks,
          .attention_resolutions = network.attention_resolutions,
          .layers = network.layers,
          .depth_first = network.depth_first,
          .image_conditioning = network.image_conditioning,
          .confidence = network.confidence};
}

class PointMapTrainee : public Trainee {
 public:
  PointMapTrainee(const std::string& root, const PointMapTrainOptions& options,
                  const TrainingCheckpoint* start, const std::string& title)
      : options_(options), features_(PointMapFeatureOptions{}) {
    samples_ = held_out_samples_ = open_point_map_samples(root, options.mesh, resolution());
    ids_ = samples_->ids(options.data);
    hold_out();
    if (ids_.empty()) throw Failure(code::kNotFound, root + ": no samples are left to train on");
    samples_->require(ids_, resolution());
    held_out_samples_->require(held_out_, resolution());
    if (start && start->config.is_object() && start->config.contains("features")) {
      features_ = PointMapFeatures::restored(start->config, start->extra, title);
    } else {
      PointMapFeatureOptions wanted = options.features;
      if (wanted.kind == "auto") wanted.kind = samples_->feature_kind(ids_);
      features_ = PointMapFeatures::learned(wanted, ids_.size(),
                                            [&](std::size_t i) { return samples_->picture(ids_[i]); });
    }
    check_augmentation();
    open_network(start, title);
  }

  const std::vector<at::Tensor>& parameters() const override { return parameters_; }
  StateDict weights() const override { return network_->weights(); }
  Json config() const override {
    return {{"features", options_to_json(features_.options())}, {"resolution", network_->shape().resolution}};
  }
  StateDict extra() const override { return features_.learned_tensors(); }

  std::int64_t samples(Split split) const override { return static_cast<std::int64_t>(of(split).size()); }

  TrainingBatch load(Split split, const std::vector<std::int64_t>& samples,
                     std::uint64_t seed) const override {
    const at::NoGradGuard no_gradients;
    std::vector<at::Tensor> features, targets;
    for (const std::int64_t sample : samples) {
      const std::string& id = of(split)[static_cast<std::size_t>(sample)];
      auto [seen, wanted] = example(split, id);
      if (split == Split::kTraining)
        augment(seen, wanted, options_.augmentation, seed * 1000003 + static_cast<std::uint64_t>(sample));
      features.push_back(seen.features);
      targets.push_back(wanted);
    }
    return {at::stack(features), at::stack(targets)};
  }

  at::Tensor amounts(const TrainingBatch& batch) const override {
    return point_map_amounts(batch[1], options_.whole_picture);
  }

  std::int64_t num_amounts() const override { return 2; }

  std::vector<std::string> loss_names() const override {
    return network_->shape().layers > 1 ? std::vector<std::string>{"points", "occupancy"}
                                        : std::vector<std::string>{"points"};
  }

  TrainingLosses losses(const TrainingBatch& batch, const at::Tensor& amounts, bool training) const override {
    const at::Tensor output = (*network_)(batch[0], training ? options_.dropout : 0);
    const PointMapLosses losses = point_map_losses(output, batch[1], amounts, network_->shape(),
                                                   options_.alpha, options_.whole_picture);
    if (!losses.occupancy.defined()) return {losses.points, {{"points", losses.points.detach()}}};
    return {losses.points + losses.occupancy * options_.occupancy_weight,
            {{"points", losses.points.detach()}, {"occupancy", losses.occupancy.detach()}}};
  }

  std::optional<TrainingPicture> picture() const override {
    const at::NoGradGuard no_gradients;
    const Split split = held_out_.empty() ? Split::kTraining : Split::kValidation;
    std::vector<std::int64_t> shown;
    for (std::int64_t i = 0; i < std::min(kShown, samples(split)); ++i) shown.push_back(i);
    const TrainingBatch batch = load(split, shown, 0);
    const at::Tensor output = (*network_)(batch[0].to(parameters_.front().device())).to(at::kCPU);
    const Image image = map_picture(output, batch[1]);
    return TrainingPicture{image.width, image.height, encode_image(image, "png")};
  }

 private:
  const std::vector<std::string>& of(Split split) const {
    return split == Split::kTraining ? ids_ : held_out_;
  }
  int resolution() const { return options_.network.resolution; }

  /// From the training samples, unless validation has data of its own.
  void hold_out() {
    PointMapDataOptions held = options_.data;
    held.include = options_.validation;
    if (!options_.validation_data.empty()) {
      held.exclude.clear();
      held_out_samples_ = open_point_map_samples(options_.validation_data, options_.mesh, resolution());
      held_out_ = held_out_samples_->ids(held);
    } else if (!options_.validation.empty()) {
      held_out_ = samples_->ids(held);
      std::erase_if(ids_, [&](const std::string& id) { return std::ranges::binary_search(held_out_, id); });
    }
  }

  PointMapExample example(Split split, const std::string& id) const {
    const PointMapSamples& samples = split == Split::kTraining ? *samples_ : *held_out_samples_;
    return samples.example(id, features_, options_.network.layers, resolution());
  }

  void check_augmentation() const {
    if (options_.augmentation.colour > 0 && features_.options().kind != "rgb")
      throw Error(fmt::format("augmentation: colour is for features of kind 'rgb', not '{}'",
                              features_.options().kind));
    std::vector<at::Tensor> some;
    if (!options_.augmentation.flip.empty())
      for (std::size_t i = 0; i < ids_.size() && some.size() < kLookedAt; ++i)
        some.push_back(example(Split::kTraining, ids_[i]).wanted);
    require_symmetry(some, options_.augmentation.flip);
  }

  void open_network(const TrainingCheckpoint* start, const std::string& title) {
    const auto channels = static_cast<int>(example(Split::kTraining, ids_.front()).seen.features.size(0));
    const DualPointMapShape shape = shape_of(options_.network, channels);
    shape.first_stage().validate();
    StateDict weights;
    if (start) {
      weights = DualPointMap::at_resolution(start->model, resolution(), title);
      DualPointMapShape found = DualPointMap::shape_of(weights, title);
      // Which of these sides no level has does not matter.
      found.attention_resolutions = shape.attention_resolutions;
      if (found != shape)
        throw Failure(
            code::kBadWeights,
            fmt::format(
                "{}: a network of {} input channels, {} model channels, {} blocks and {} layers; the options "
                "ask for {}, {}, {} and {}, or differ in its stages",
                title, found.in_channels, found.model_channels, found.blocks, found.layers, shape.in_channels,
                shape.model_channels, shape.blocks, shape.layers));
    } else {
      weights = DualPointMap::initial_weights(shape, at::make_generator<at::CPUGeneratorImpl>(
                                                         static_cast<std::uint64_t>(options_.training.seed)));
    }
    WeightsCheckpoint checkpoint(title, weights, resolve_device(options_.training.device), at::kFloat,
                                 WeightsCheckpoint::Purpose::kTraining);
    network_ = std::make_unique<DualPointMap>(shape, checkpoint);
    for (const auto& [name, parameter] : checkpoint.parameters()) parameters_.push_back(parameter);
  }

  std::shared_ptr<const PointMapSamples> samples_, held_out_samples_;
  PointMapTrainOptions options_;
  std::vector<std::string> ids_, held_out_;
  PointMapFeatures features_;
  std::unique_ptr<const DualPointMap> network_;
  std::vector<at::Tensor> parameters_;
};

}  // namespace

TrainingReport train_point_map(const std::string& root, const std::string& folder,
                               const PointMapTrainOptions& options,
                               const std::function<void(const std::string&)>& warn) {
  std::string from = newest_checkpoint(folder);
  if (from.empty()) from = options.weights;
  std::optional<TrainingCheckpoint> start;
  if (!from.empty()) start = read_checkpoint(from);
  const TrainingCheckpoint* const begun = start ? &*start : nullptr;
  const PointMapTrainee trainee(root, options, begun, from.empty() ? "new network" : from);
  return train(trainee, folder, options.training, begun, warn);
}

}  // namespace imatch
