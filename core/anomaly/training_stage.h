// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <string>
#include <utility>

#include "base/options.h"

namespace imatch {

/// Finished stages of a training that may be killed: a matrix and notes for each, below one folder. What was
/// made under another key (other options, other pictures) is not found again.
class TrainingStages {
 public:
  TrainingStages(std::string folder, std::string key) : folder_(std::move(folder)), key_(std::move(key)) {}

  struct Stage {
    at::Tensor rows;  ///< [n, D] float32; undefined where the stage has none.
    Json notes;
  };
  std::optional<Stage> read(const std::string& name) const;
  /// Rows first, then the notes that make the stage valid, each atomically. Throws Failure (unwritable,
  /// no_space).
  void write(const std::string& name, const Stage& stage) const;
  /// Removes the folder.
  void clear() const;

 private:
  std::string folder_;
  std::string key_;
};

}  // namespace imatch
