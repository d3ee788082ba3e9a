// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/options.h"
#include "io/state_dict.h"

namespace imatch {

/// The tensors of a few samples, whatever they mean to the trainee.
using TrainingBatch = std::vector<at::Tensor>;

struct TrainingLosses {
  at::Tensor total;  ///< A scalar to be differentiated.
  std::vector<std::pair<std::string, at::Tensor>> parts;
};

struct TrainingPicture {
  int width = 0, height = 0;
  std::string png;
};

/// What is trained: a network with its data and its loss.
class Trainee {
 public:
  enum class Split { kTraining, kValidation };

  virtual ~Trainee() = default;
  virtual const std::vector<at::Tensor>& parameters() const = 0;
  virtual StateDict weights() const = 0;
  /// What belongs to the weights in a checkpoint.
  virtual Json config() const { return nullptr; }
  virtual StateDict extra() const { return {}; }

  virtual std::int64_t samples(Split split) const = 0;
  /// Reads samples, on the CPU. Called from several threads at once; `seed`, the same for all samples of a
  /// step, is for what is random in it.
  virtual TrainingBatch load(Split split, const std::vector<std::int64_t>& samples,
                             std::uint64_t seed) const = 0;
  /// What the losses of these samples are divided by. A step that is taken in parts divides by the sum.
  virtual at::Tensor amounts(const TrainingBatch& batch) const = 0;
  /// How many numbers those are.
  virtual std::int64_t num_amounts() const { return 1; }
  /// Names of the parts of the loss.
  virtual std::vector<std::string> loss_names() const = 0;
  /// The losses of a part of a step. `training` false: as in use, without dropout.
  virtual TrainingLosses losses(const TrainingBatch& batch, const at::Tensor& amounts,
                                bool training) const = 0;
  /// A picture of what it does now.
  virtual std::optional<TrainingPicture> picture() const { return std::nullopt; }
};

}  // namespace imatch
