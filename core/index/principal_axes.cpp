// SPDX-License-Identifier: Apache-2.0
#include "index/principal_axes.h"

#include <ATen/ops/tensor.h>
#include <faiss/VectorTransform.h>

#include "index/faiss_call.h"

namespace imatch {

at::Tensor whitening_axes(const at::Tensor& rows, int count, double least_deviation) {
  const at::Tensor held = rows.contiguous();
  const std::int64_t dim = rows.size(1), num_rows = rows.size(0);
  faiss::PCAMatrix components(static_cast<int>(dim), count, /*eigen_power=*/-0.5f);
  // Added to its eigenvalues, which are sums over all rows.
  components.epsilon = static_cast<float>(least_deviation * least_deviation * static_cast<double>(num_rows));
  components.max_points_per_d = static_cast<std::size_t>(num_rows);  // all rows count
  call_faiss("whitening", [&] { components.train(num_rows, held.const_data_ptr<float>()); });
  return at::tensor(components.A).view({-1, dim}).slice(0, 0, count).t().contiguous();
}

}  // namespace imatch
