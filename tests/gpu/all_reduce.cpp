// SPDX-License-Identifier: Apache-2.0
#include "gpu/all_reduce.h"

#include <ATen/ops/arange.h>

#include "cuda/all_reduce.h"
#include "gpu/report.h"

namespace imatch::testing {

int check_all_reduce(c10::Device device) {
  const cuda::AllReduceMaker maker = cuda::nccl(device);
  if (!maker) {
    if (device.is_cuda()) fmt::print("      NCCL was left out: not all of CUDA's headers were there\n");
    return 0;
  }
  const auto group = maker.join(maker.new_id(), 0, 1, device);
  const at::Tensor values = at::arange(1 << 20, at::TensorOptions(device).dtype(at::kFloat));
  const at::Tensor sum = values.clone();
  group->sum(sum);
  return report(sum.equal(values), "NCCL in a group of one");
}

}  // namespace imatch::testing
