// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/grad_mode.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "backbone/backbone.h"
#include "backbone/fastest_dtype.h"
#include "backbone/network_input.h"
#include "backbone/network_options.h"
#include "base/device.h"
#include "nn/recorded_forward.h"
#include "nn/token_network.h"
#include "nn/weights_checkpoint.h"

namespace imatch {

/// Where a network is to run, and in which number type.
struct NetworkPlace {
  c10::Device device{c10::kCPU};
  c10::ScalarType dtype = at::kFloat;
  WeightsCheckpoint::Rounding rounding = WeightsCheckpoint::Rounding::kNone;
};

/// A network with what its backbone has to know beside its options.
struct OpenedNetwork {
  std::unique_ptr<const TokenNetwork> network;
  std::string weights_sha256 = "";
  std::string weights_rule = "";  ///< How a training's file was unwrapped (UnwrappedWeights); "": it was not.
  Normalization normalization = {};
  /// The global vector: "": the network's own; "class": the same; "mean_prenorm" (LayerOutput); or of the
  /// tokens: "mean_patches", and what feature/pooling.h has.
  std::string pooling = {};
  std::optional<ProcessorSteps> processor = {};  ///< Where a file that came with the weights says more.
};

/// Any network as a backbone. Tokens are the wanted layers one behind the other on the grid of the finest,
/// the coarser ones bilinearly enlarged; the global vector is that of the last layer, or the mean of its
/// tokens where the network has none. A token lies at the centre of its cell.
class NetworkBackbone final : public Backbone {
 public:
  NetworkBackbone(std::string spec, const NetworkOptions& options, NetworkPlace place, OpenedNetwork opened);

  std::vector<Features> extract(std::span<const Image* const> images) const override;
  std::string spec() const override { return spec_; }
  std::string weights_sha256() const override { return opened_.weights_sha256; }
  std::string weights_rule() const override { return opened_.weights_rule; }
  int stride() const override { return input_.frame.stride_px; }
  bool is_local() const override { return opened_.network->is_local(); }
  const NetworkBackbone* as_network() const override { return this; }

  /// The wanted layers of each image as they are: [C, rows, cols] float32 on the CPU, each on its own grid.
  /// Throws as extract().
  std::vector<std::vector<at::Tensor>> layer_maps(std::span<const Image* const> images) const;
  /// Scores of each image's classes before softmax, [images, classes] float32 on the CPU. Throws Error for a
  /// network without classes, and as extract().
  at::Tensor logits(std::span<const Image* const> images) const;

  const TokenNetwork& network() const { return *opened_.network; }
  const NetworkInput& input() const { return input_; }

 private:
  /// [N, rows, cols, C] and [N, D].
  std::vector<at::Tensor> tokens_and_globals(const at::Tensor& images) const;

  std::string spec_;
  OpenedNetwork opened_;
  NetworkInput input_;
  mutable RecordedForward recorded_;  ///< tokens_and_globals, repeated as one launch on a GPU.
};

/// How many classes a backbone tells apart; 0: it has none.
std::int64_t classes_of(const Backbone& backbone);
/// NetworkBackbone::logits. Throws Error for a backbone without classes.
at::Tensor class_logits(const Backbone& backbone, std::span<const Image* const> images);

/// A line of the registry whose network `open` makes; `Options` is derived from NetworkOptions.
template <class Options>
struct NetworkKind {
  std::string name;
  std::string doc;
  /// May set options that what it opens decides.
  std::function<OpenedNetwork(Options&, NetworkPlace)> open;
  std::optional<PublishedModel> published = std::nullopt;
};

/// The options that shape the result, as a spec writes them: without `device` and `batch_size`, and without
/// those left at a default of nothing (empty, or 0).
std::string network_spec(const std::string& name, Json options, const Json& defaults);
NetworkPlace place_of(const NetworkOptions& options);
/// Of a forward pass over squares of image_size (448 px where it is 0), as many as go together: the least of
/// a few, after one to warm up.
double forward_seconds(const NetworkBackbone& backbone, int image_size);

template <class Options>
BackboneKind network_kind(NetworkKind<Options> kind) {
  const auto parse = [title = kind.name + " options"](const Json& options) {
    return parse_options<Options>(options, title);
  };
  return {.name = kind.name,
          .doc = kind.doc,
          .options = describe_options<Options>(),
          .complete = [parse](const Json& options) { return options_to_json(parse(options)); },
          .open = [parse, name = kind.name, open = kind.open](const Json& json) -> std::unique_ptr<Backbone> {
            const at::NoGradGuard no_gradients;
            Options options = parse(json);
            if (options.dtype == "fastest")
              options.dtype = fastest_dtype(name, options_to_json(options), resolve_device(options.device),
                                            [&](const std::string& dtype) {
                                              Options typed = options;
                                              typed.dtype = dtype;
                                              const NetworkPlace there = place_of(typed);
                                              OpenedNetwork network = open(typed, there);
                                              return forward_seconds(
                                                  NetworkBackbone(name, typed, there, std::move(network)),
                                                  typed.image_size);
                                            });
            const NetworkPlace place = place_of(options);
            OpenedNetwork opened = open(options, place);
            return std::make_unique<NetworkBackbone>(
                network_spec(name, options_to_json(options), options_to_json(Options())), options, place,
                std::move(opened));
          },
          .published = std::move(kind.published)};
}

}  // namespace imatch
