// SPDX-License-Identifier: Apache-2.0
#include "cuda/graph.h"

#if defined(IMATCH_CUDA_HEADERS)
#include <ATen/cuda/CUDAGraph.h>
#include <c10/core/Event.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#endif

namespace imatch::cuda {

#if defined(IMATCH_CUDA_HEADERS)
namespace {

class CudaGraph final : public RecordedWork {
 public:
  CudaGraph(c10::Device device, const std::function<std::vector<at::Tensor>()>& work) {
    // What the default stream does cannot be recorded.
    const c10::impl::VirtualGuardImpl backend(device.type());
    const c10::Stream side = backend.getStreamFromGlobalPool(device);
    wait(side, backend.getStream(device));
    {
      const c10::StreamGuard guard(side);
      work();  // once more on this stream, for which libraries have workspaces of its own
      backend.synchronizeStream(side);
      // Other threads may go on allocating meanwhile.
      graph_.capture_begin({0, 0}, cudaStreamCaptureModeThreadLocal);
      try {
        outputs_ = work();
      } catch (...) {
        try {
          graph_.capture_end();
        } catch (const std::exception&) {
          // A recording that was spoilt ends with an error; the first one tells more.
        }
        throw;
      }
      graph_.capture_end();
    }
  }

  void replay() override { graph_.replay(); }

 private:
  /// What is put into `later` from now on begins behind what is in `earlier`.
  static void wait(const c10::Stream& later, const c10::Stream& earlier) {
    c10::Event event(earlier.device_type());
    event.record(earlier);
    event.block(later);
  }

  at::cuda::CUDAGraph graph_;
};

}  // namespace

Recorder graph_recorder(c10::Device device) {
  if (!device.is_cuda()) return {};
  return [device](const std::function<std::vector<at::Tensor>()>& work) {
    return std::make_unique<CudaGraph>(device, work);
  };
}
#else
Recorder graph_recorder(c10::Device) {
  return {};
}
#endif

}  // namespace imatch::cuda
