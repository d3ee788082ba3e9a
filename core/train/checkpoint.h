// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "base/options.h"
#include "io/state_dict.h"
#include "train/adam.h"

namespace imatch {

/// A training at rest, as weights_<step>.pth holds it.
struct TrainingCheckpoint {
  std::int64_t step = 0;
  StateDict model = {};
  PlainValue optimiser = {}, schedule = {};  ///< None in a file that holds weights alone.
  at::Tensor cpu_random = {},
             gpu_random = {};  ///< States of LibTorch's generators; undefined where there are none.
  Json config = {};            ///< What else belongs to the model, such as its features; null: nothing.
  StateDict extra = {};        ///< Tensors that belong to `config`.

  bool is_resumable() const { return !std::holds_alternative<std::monostate>(optimiser); }
};

/// Writes {model_state, optim_state, scheduler_state, step, random_state, config, extra} for torch.load. The
/// file appears whole or not at all. Throws Failure (unwritable, no_space).
void write_checkpoint(const std::string& path, const TrainingCheckpoint& checkpoint);

/// Reads it, or the published code's, which does not know its step: that is taken from its schedule, or a
/// state_dict alone. Throws Failure as load_torch_file, and bad_format for a file without tensors.
TrainingCheckpoint read_checkpoint(const std::string& path);

/// The name of the file of a step, "weights_5000.pth".
std::string checkpoint_name(std::int64_t step);
/// The file of the largest step in a folder; empty: there is none.
std::string newest_checkpoint(const std::string& folder);
/// Removes those of the smallest steps until `kept` remain; 0: none is removed.
void remove_old_checkpoints(const std::string& folder, int kept);

}  // namespace imatch
