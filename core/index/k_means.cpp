// SPDX-License-Identifier: Apache-2.0
#include "index/k_means.h"

#include <ATen/ops/tensor.h>
#include <faiss/Clustering.h>
#include <faiss/IndexFlat.h>

#include <limits>

#include "index/faiss_call.h"

namespace imatch {

at::Tensor k_means(const at::Tensor& rows, int count, int iterations, int seed) {
  const at::Tensor held = rows.contiguous();
  const auto dim = static_cast<int>(rows.size(1));
  faiss::ClusteringParameters settings;
  settings.niter = iterations;
  settings.seed = seed;
  settings.min_points_per_centroid = 1;  // below, it would write a warning to standard error
  settings.max_points_per_centroid = std::numeric_limits<int>::max();  // all rows count
  faiss::IndexFlatL2 nearest(dim);
  faiss::Clustering clusters(dim, count, settings);
  call_faiss("k_means", [&] { clusters.train(held.size(0), held.const_data_ptr<float>(), nearest); });
  return at::tensor(clusters.centroids).view({count, dim});
}

}  // namespace imatch
