// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace imatch {

class GraphWriter;

/// Which image sizes a network takes.
struct InputSizeRule {
  int multiple_px = 1;      ///< Both sides are whole multiples of it.
  int cut_multiple_px = 0;  ///< Multiples of this, not 0, go through too; what is over whole tokens is cut
                            ///< off on the way, but seen by the tokens at the border.
  int fixed_height_px = 0;  ///< Other than 0: this size and no other.
  int fixed_width_px = 0;

  bool is_fixed() const { return fixed_height_px > 0; }
};

/// What a layer makes of N images of one size.
struct LayerOutput {
  at::Tensor map;     ///< [N, C, rows, cols], of the network's device and type, in any strides.
  at::Tensor global;  ///< [N, D]: the vector of each image, such as its class token; undefined: none.
  /// [N, C]: mean over all tokens, those that are no patches included, before the final norm; undefined where
  /// there is none.
  at::Tensor mean_prenorm = {};
};

/// What a network with classes can do beside its layers.
class Classifier {
 public:
  virtual ~Classifier() = default;
  virtual std::int64_t classes() const = 0;
  /// Scores of the classes before softmax: images as for TokenNetwork::forward -> [N, classes].
  virtual at::Tensor logits(const at::Tensor& images) const = 0;
};

/// A network that makes grids of tokens. Which of its layers are wanted is said when it is opened, so that
/// those behind the last one need not be kept. Immutable; calls may come from several threads.
class TokenNetwork {
 public:
  virtual ~TokenNetwork() = default;

  virtual InputSizeRule input_size() const = 0;
  /// Side of a token in pixels of the input, for each of the wanted layers, in their order. A side of n
  /// pixels has ceil(n / stride) tokens.
  virtual std::vector<int> strides_px() const = 0;
  /// The wanted layers of images [N, 3, H, W], normalised, of the network's device and type, whose size
  /// input_size() allows.
  virtual std::vector<LayerOutput> forward(const at::Tensor& images) const = 0;

  /// True when a token depends on the neighbourhood of its cell only, so that one large picture gives the
  /// tokens of every window in it.
  virtual bool is_local() const { return false; }
  /// Writes the network, whose input is `images`, into another program's form (graph_writer.h); returns the
  /// values of the wanted layers. Throws Error for a network that cannot be written.
  virtual std::vector<std::size_t> write(GraphWriter& to, std::size_t images) const;
  /// nullptr: it has no classes.
  virtual const Classifier* classifier() const { return nullptr; }
};

}  // namespace imatch
