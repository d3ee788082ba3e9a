// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "backbone/weights_search.h"
#include "base/options.h"
#include "feature/features.h"
#include "image/image.h"

namespace imatch {

class NetworkBackbone;

/// A model that turns images into Features. Implementations are immutable after construction.
class Backbone {
 public:
  virtual ~Backbone() = default;

  /// Features of each image, in order; Features::key is left empty (extract.h fills it). Images of equal size
  /// after preprocessing go through the network together. Polls the stop request once a batch. Tensors are
  /// float32 on the CPU. Throws Failure (too_large) for an image so narrow that it would be resized to an
  /// enormous one.
  virtual std::vector<Features> extract(std::span<const Image* const> images) const = 0;

  /// The name and every option that shapes the result: opens the same backbone again (open_backbone) and is
  /// part of the cache key. "efficientnet_lite0 image_size=336 resize=shorter interpolation=bicubic
  /// arithmetic=uint8 stage=16 global=mean dtype=fp32".
  virtual std::string spec() const = 0;
  /// SHA-256 of the weights file; "" for a backbone without weights.
  virtual std::string weights_sha256() const = 0;
  /// What was taken out of a file that a training wrote: "of 'teacher.backbone.', without 'head.'"; "": the
  /// file held the network alone.
  virtual std::string weights_rule() const { return ""; }
  /// Side of a token in pixels of the resized image.
  virtual int stride() const = 0;
  /// True when a token depends on the neighbourhood of its cell only (convolutions), so that one large
  /// picture gives the tokens of every window in it; attention over the whole image does not.
  virtual bool is_local() const { return false; }
  /// What a backbone with a network can do beside (network_backbone.h); nullptr: it has none.
  virtual const NetworkBackbone* as_network() const { return nullptr; }
};

/// A model whose weights others publish and users bring.
struct PublishedModel {
  PublishedWeights weights;
  std::string hub;            ///< Its name where it is published: "dinov3_vits16", or torchvision's.
  std::string normalization;  ///< See image/normalize.h.
};

/// One line in the table of registry.cpp.
struct BackboneKind {
  std::string name;
  std::string doc;
  std::vector<FieldInfo> options;
  /// The options with all defaults filled in. Throws Error as parse_options does.
  std::function<Json(const Json& options)> complete;
  std::function<std::unique_ptr<Backbone>(const Json& options)> open;
  std::optional<PublishedModel> published =
      std::nullopt;  ///< None: its weights come with the program, or it has none.
};

/// The kind of a class with `Options`, `kName` and `kDoc`, constructed from its options.
template <class Implementation>
BackboneKind backbone_kind() {
  using Options = typename Implementation::Options;
  static constexpr auto parse = [](const Json& options) {
    return parse_options<Options>(options, std::string(Implementation::kName) + " options");
  };
  return {Implementation::kName, Implementation::kDoc, describe_options<Options>(),
          [](const Json& options) { return options_to_json(parse(options)); },
          [](const Json& options) -> std::unique_ptr<Backbone> {
            return std::make_unique<Implementation>(parse(options));
          }};
}

/// All kinds, sorted by name.
std::span<const BackboneKind> backbone_kinds();

/// The kind of that name. Throws Error that lists the names and the nearest spelling.
const BackboneKind& backbone_kind_of(const std::string& name);

/// Opens a backbone, or returns the one already opened in this process with the same name and options. `spec`
/// is a name or a whole specification ("dense_sift step=4"); `options` add to it and win over it. Throws
/// Error for an unknown name or option, Failure for missing or unfit weights.
std::shared_ptr<const Backbone> open_backbone(const std::string& spec, const Json& options = Json::object());

/// Those opened in this process and not forgotten, sorted by name and options.
std::vector<std::shared_ptr<const Backbone>> opened_backbones();

/// Forgets every opened backbone; those still in use live on until their last user lets go.
void close_backbones();

}  // namespace imatch
