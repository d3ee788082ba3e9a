// SPDX-License-Identifier: Apache-2.0
#include "cuda/all_reduce.h"

// LibTorch's header wants those of CUDA's mathematical libraries too.
#if defined(IMATCH_CUDA_HEADERS) && __has_include(<cublas_v2.h>) && __has_include(<cublasLt.h>) && \
    __has_include(<cusparse.h>) && __has_include(<cusolverDn.h>) && __has_include(<nv/target>)
#define IMATCH_NCCL 1
#include <c10/core/DeviceGuard.h>
#include <fmt/format.h>
#include <torch/csrc/cuda/nccl.h>

#include <algorithm>

#include "base/error.h"
#endif

namespace imatch::cuda {

#if defined(IMATCH_NCCL)
namespace {

namespace torch_nccl = torch::cuda::nccl;

class NcclAllReduce final : public AllReduce {
 public:
  NcclAllReduce(const torch_nccl::ncclUniqueId& id, int rank, int size) try
      : communicator_(torch_nccl::comm_init_rank(size, id, rank)) {
  } catch (const std::exception& error) {
    throw Error(fmt::format("NCCL does not take process {} of {}, each of which needs a GPU of its own: {}",
                            rank, size, error.what()));
  }
  ~NcclAllReduce() override { torch_nccl::comm_destroy(communicator_); }
  NcclAllReduce(const NcclAllReduce&) = delete;
  NcclAllReduce& operator=(const NcclAllReduce&) = delete;

  void sum(const at::Tensor& tensor) override {
    std::vector<at::Tensor> tensors{tensor};
    torch_nccl::all_reduce(tensors, tensors, static_cast<int>(torch_nccl::ncclRedOp::Sum), {},
                           {communicator_});
  }

 private:
  torch_nccl::ncclComm_t communicator_;
};

std::vector<std::uint8_t> new_nccl_id() {
  torch_nccl::ncclUniqueId id{};
  torch_nccl::get_unique_id(id);
  return {std::begin(id.internal), std::end(id.internal)};
}

std::unique_ptr<AllReduce> join_nccl(const std::vector<std::uint8_t>& bytes, int rank, int size,
                                     c10::Device device) {
  torch_nccl::ncclUniqueId id{};
  std::copy_n(bytes.begin(), std::min(bytes.size(), sizeof id.internal), std::begin(id.internal));
  const c10::DeviceGuard guard(device);
  return std::make_unique<NcclAllReduce>(id, rank, size);
}

}  // namespace

AllReduceMaker nccl(c10::Device device) {
  if (!device.is_cuda()) return {};
  return {new_nccl_id, join_nccl};
}
#else
AllReduceMaker nccl(c10::Device) {
  return {};
}
#endif

}  // namespace imatch::cuda
