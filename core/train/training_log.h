// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "train/event_file.h"
#include "train/trainee.h"

namespace imatch {

/// What a training leaves beside its checkpoints: losses.csv, TensorBoard's file in events/, pictures/.
class TrainingLog {
 public:
  using Numbers = std::vector<std::pair<std::string, double>>;

  /// Goes on after `step`: rows of later steps, which an interrupted run left, are dropped. `columns` follow
  /// the step. Throws Failure (unwritable, no_space; bad_format when losses.csv is something else).
  TrainingLog(const std::string& folder, std::int64_t step, std::vector<std::string> columns);

  /// A row; numbers without a column go to TensorBoard alone, columns without a number stay empty.
  void add(std::int64_t step, const Numbers& numbers);
  void add(std::int64_t step, const TrainingPicture& picture);
  /// Throws Failure (unwritable, no_space).
  void flush();

 private:
  std::string folder_;
  std::vector<std::string> columns_;
  std::optional<FileAppender> csv_;
  EventFile events_;
};

}  // namespace imatch
