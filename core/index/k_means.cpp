// SPDX-License-Identifier: Apache-2.0
#include "index/k_means.h"

#include <ATen/ops/tensor.h>
#include <faiss/Clustering.h>
#include <faiss/IndexFlat.h>

#include "index/faiss_call.h"

namespace imatch {

at::Tensor k_means(const at::Tensor& rows, int count, int iterations, std::uint64_t seed) {
  const at::Tensor held = rows.contiguous();
  const std::int64_t num_rows = rows.size(0), dim = rows.size(1);
  faiss::ClusteringParameters how;
  how.niter = iterations;
  how.seed = static_cast<int>(seed);
  how.min_points_per_centroid = 1;  // below it FAISS warns on standard error
  how.max_points_per_centroid = static_cast<int>(num_rows / count + 1);
  faiss::Clustering clustering(static_cast<int>(dim), count, how);
  faiss::IndexFlatL2 nearest(dim);
  call_faiss("k-means", [&] { clustering.train(num_rows, held.const_data_ptr<float>(), nearest); });
  return at::tensor(clustering.centroids).view({count, dim});
}

}  // namespace imatch
