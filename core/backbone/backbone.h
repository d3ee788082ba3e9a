// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/options.h"
#include "feature/features.h"
#include "image/image.h"

namespace imatch {

/// A model that turns images into Features. Implementations are immutable after construction and may be used from
/// one thread at a time.
class Backbone {
 public:
  virtual ~Backbone() = default;

  /// Features of each image, in order. Images of equal size after preprocessing go through the network together.
  /// Polls the stop request once a batch. Tensors lie on the CPU unless the options say otherwise.
  virtual std::vector<Features> extract(std::span<const Image* const> images) const = 0;

  /// The name and every option that shapes the result: parses back to itself and is part of the cache key.
  virtual std::string spec() const = 0;
  /// SHA-256 of the weights file; "" for a backbone without weights.
  virtual std::string weights_sha256() const = 0;
  /// Side of a token in pixels of the resized image.
  virtual int stride() const = 0;
};

/// One line in the table of registry.cpp.
struct BackboneKind {
  std::string name;
  std::string doc;
  std::vector<FieldInfo> options;
  std::unique_ptr<Backbone> (*open)(const Json& options);
};

/// All kinds, sorted by name.
std::span<const BackboneKind> backbone_kinds();

/// Opens a backbone, or returns the one already opened in this process with the same name and options.
/// Throws Error for an unknown name or option, Failure for missing or unfit weights.
std::shared_ptr<const Backbone> open_backbone(const std::string& name, const Json& options = Json::object());

}  // namespace imatch
