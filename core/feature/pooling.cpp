// SPDX-License-Identifier: Apache-2.0
#include "feature/pooling.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/clamp_min.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/std.h>
#include <fmt/format.h>

#include "base/error.h"

namespace imatch {

at::Tensor pool_tokens(const at::Tensor& tokens, const std::string& pooling) {
  constexpr std::int64_t kTokenAxis = -2;
  if (pooling == "mean") return tokens.mean(kTokenAxis);
  if (pooling == "mean_std")
    return at::cat({tokens.mean(kTokenAxis), tokens.std(kTokenAxis, /*unbiased=*/false)}, /*dim=*/-1);
  if (pooling == "gem") return tokens.clamp_min(1e-6).pow(3).mean(kTokenAxis).pow(1.0 / 3.0);
  throw Error(fmt::format("pooling: '{}' is not allowed; expected 'mean', 'mean_std' or 'gem'", pooling));
}

}  // namespace imatch
