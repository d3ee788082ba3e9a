// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/tensor.h>

#include "anomaly/anomaly_map.h"
#include "anomaly/memory_bank.h"
#include "anomaly/patch_features.h"
#include "anomaly/upstream.h"
#include "base/error.h"
#include "catch.h"

namespace imatch {
namespace {

using testing::made_up_bank;
using testing::made_up_layers;
using testing::relative_error;
using testing::upstream;

TEST_CASE("patch features are anomalib's") {
  const at::Tensor features = patch_features(made_up_layers(), patchcore_method("anomalib"));
  CHECK(relative_error(features, upstream("embedding")) < 1e-6);
  CHECK(features.sum().item<double>() == Approx(8.363347).epsilon(1e-5));
}

TEST_CASE("patch features by adaptive pooling are patchcore-inspection's") {
  PatchCoreMethod method = patchcore_method("patchcore");
  method.layer_dims = 10;
  method.dims = 6;
  const at::Tensor rows = patch_rows(patch_features(made_up_layers(), method));
  CHECK(relative_error(rows, upstream("adaptive")) < 1e-5);
  CHECK(rows.sum().item<double>() == Approx(4.136139).epsilon(1e-5));
}

TEST_CASE("patch and image scores are anomalib's, for any number of neighbours and by either search") {
  struct Expected {
    int neighbors;
    float first, second;
  };
  const Expected cases[] = {{1, 2.408924F, 2.411734F},
                            {3, 1.607261F, 1.613683F},
                            {9, 2.143230F, 2.149976F},
                            {50, 2.290392F, 2.294512F}};
  PatchCoreMethod method = patchcore_method("anomalib");
  const at::Tensor features = patch_features(made_up_layers(), method);
  for (const char* search : {"exact", "faiss"})
    for (const Expected& expected : cases) {
      INFO(search << ", " << expected.neighbors << " neighbours");
      method.num_neighbors = expected.neighbors;
      const PatchScores scores = MemoryBank(made_up_bank(), method, search).score(features);
      CHECK(relative_error(scores.patches.flatten(), upstream("patch_scores")) < 1e-5);
      CHECK(scores.images[0].item<float>() == Approx(expected.first).epsilon(1e-5));
      CHECK(scores.images[1].item<float>() == Approx(expected.second).epsilon(1e-5));
    }
}

TEST_CASE("a patch beside a row of the bank scores their distance, which the matrix form would lose") {
  const at::Tensor bank = testing::wave({50, 1536}, 0.53, 0.2, 30);
  const at::Tensor patch = bank.narrow(0, 17, 1).add(0.001);
  PatchCoreMethod method = patchcore_method("anomalib");
  method.num_neighbors = 1;
  const PatchScores scores = MemoryBank(bank, method).score(patch.view({1, 1536, 1, 1}));
  CHECK(scores.images[0].item<double>() == Approx(0.001 * std::sqrt(1536.0)).epsilon(2e-3));
  CHECK(MemoryBank(bank, method).score(bank.narrow(0, 3, 1).view({1, 1536, 1, 1})).images[0].item<float>() ==
        0);
}

TEST_CASE("the method of patchcore-inspection scores the mean of squared distances") {
  PatchCoreMethod method = patchcore_method("patchcore");
  method.num_neighbors = 3;
  const at::Tensor bank = at::tensor({0.F, 1.F, 3.F, 10.F}).view({4, 1});
  const PatchScores scores = MemoryBank(bank, method).score(at::tensor({1.F, 20.F}).view({1, 1, 1, 2}));
  CHECK(scores.patches.flatten()[0].item<float>() == Approx((0 + 1 + 4) / 3.0));
  CHECK(scores.images[0].item<float>() == Approx((100 + 289 + 361) / 3.0));
}

TEST_CASE("a bank of one row gives the re-weighted score no weight, as anomalib does") {
  const at::Tensor bank = made_up_bank().narrow(0, 0, 1);
  const at::Tensor features = patch_features(made_up_layers(), patchcore_method("anomalib"));
  CHECK(MemoryBank(bank, patchcore_method("anomalib")).score(features).images[0].item<float>() == 0);
}

TEST_CASE("maps are anomalib's and patchcore-inspection's") {
  const at::Tensor patches = upstream("patch_scores").view({2, 1, 6, 6});
  const at::Tensor map = anomaly_maps(patches, 48, 48, patchcore_method("anomalib"));
  CHECK(relative_error(map, upstream("map")) < 1e-5);
  CHECK(map.min().item<double>() == Approx(2.037075).epsilon(1e-5));
  CHECK(map.max().item<double>() == Approx(2.395056).epsilon(1e-5));
  CHECK(map.sum().item<double>() == Approx(10240.0172).epsilon(1e-5));

  const at::Tensor theirs = anomaly_maps(patches, 48, 48, patchcore_method("patchcore"));
  CHECK(relative_error(theirs.squeeze(1), upstream("adaptive_map")) < 1e-5);
  CHECK(theirs[0][0][0][0].item<double>() == Approx(2.039285).epsilon(1e-5));
  CHECK(theirs[0][0][24][24].item<double>() == Approx(2.334275).epsilon(1e-5));
}

TEST_CASE("a map smaller than its blur is refused") {
  const at::Tensor patches = upstream("patch_scores").view({2, 1, 6, 6});
  CHECK_THROWS_AS(anomaly_maps(patches, 16, 48, patchcore_method("anomalib")), Error);
  CHECK(anomaly_maps(patches, 16, 48, patchcore_method("patchcore")).size(2) == 16);
}

TEST_CASE("a preset sets every option and each may be set alone") {
  const PatchCoreMethod method =
      parse_patchcore_method({{"preset", "patchcore"}, {"num_neighbors", 1}}, "patchcore.train options");
  CHECK(method.distance == "squared");
  CHECK(method.num_neighbors == 1);
  CHECK(patchcore_method("anomalib-2.3").start == "dropped");
  CHECK_THROWS_AS(patchcore_method("padim"), Error);
  CHECK_THROWS_WITH(parse_patchcore_method({{"patch_size", 4}}, "train"), Catch::Contains("odd"));
}

}  // namespace
}  // namespace imatch
