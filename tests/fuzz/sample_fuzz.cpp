// SPDX-License-Identifier: Apache-2.0
// The .npz of a layered point map: dense, sparse and dense again it stays the same.
#include "fuzz/target.h"
#include "raster/sample_file.h"

using namespace imatch;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::File file(data, size);
  fuzz::attempt([&] {
    const SampleFile sample = read_sample(file.path(), {4, 4, 2, 7});
    std::int64_t slots = 1;
    for (const std::int64_t axis : sample.shape) slots *= axis;
    if (slots > 1'000'000) return;
    const at::Tensor dense = dense_sample(sample);
    if (!dense_sample(sparse_sample(dense)).select(3, 6).equal(dense.select(3, 6))) std::abort();
  });
  return 0;
}
