// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <functional>
#include <memory>
#include <vector>

namespace imatch::cuda {

/// Work of a GPU that has been recorded (a CUDA graph): started again it is one launch, whatever it consists
/// of.
class RecordedWork {
 public:
  virtual ~RecordedWork() = default;
  /// Puts it into the current stream. It reads and writes the very memory that it did when it was recorded.
  virtual void replay() = 0;
  /// What the work returned; each replay fills it anew.
  const std::vector<at::Tensor>& outputs() const { return outputs_; }

 protected:
  std::vector<at::Tensor> outputs_;
};

/// Records what `work` puts into the current stream, without doing it. It must have been done before, so that
/// libraries are loaded and plans made, and may neither wait for the device nor read from it. Throws where it
/// does.
using Recorder =
    std::function<std::unique_ptr<RecordedWork>(const std::function<std::vector<at::Tensor>()>& work)>;

/// Of a GPU by LibTorch's CUDA graphs; empty elsewhere, and in a program that was built without CUDA's
/// headers (which come with the CUDA wheel).
Recorder graph_recorder(c10::Device device);

}  // namespace imatch::cuda
