// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/lru.h"
#include "cuda/graph.h"

namespace imatch {

/// A forward pass that a GPU repeats as one launch for shapes it has seen before: with few images the
/// processor needs longer to start a network's kernels one by one than the GPU to run them. Larger batches,
/// other devices and whatever cannot be recorded go through the function as it is. Calls may come from
/// several threads.
class RecordedForward {
 public:
  using Function = std::function<std::vector<at::Tensor>(const at::Tensor&)>;

  /// Images a batch up to which it is worth it.
  static constexpr std::int64_t kMostImages = 4;

  RecordedForward(Function function, cuda::Recorder recorder);

  /// function(x); the results are the caller's, and do not change with the next call. No gradients.
  std::vector<at::Tensor> operator()(const at::Tensor& x);

  /// How many calls were replays.
  long long replays() const;
  /// Why nothing is recorded any more; "": nothing went wrong.
  std::string problem() const;
  /// The latest problem of any in this process; "": none had one.
  static std::string latest_problem();

 private:
  struct Recording {
    at::Tensor input;
    std::unique_ptr<cuda::RecordedWork> work;  ///< None: seen, not recorded yet.
    int seen = 0;
  };

  Function function_;
  cuda::Recorder recorder_;
  mutable std::mutex mutex_;
  Lru<std::string, std::shared_ptr<Recording>> recordings_;
  long long replays_ = 0;
  std::string problem_;
};

}  // namespace imatch
