// SPDX-License-Identifier: Apache-2.0
#include "gpu/group_norms.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/group_norm.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/silu.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "gpu/report.h"
#include "gpu/timing.h"
#include "nn/group_norm.h"

namespace imatch::testing {
namespace {

struct NormType {
  const char* name;
  c10::ScalarType type;
  double allowed;  ///< As a share of the largest value.
};
constexpr NormType kNormTypes[] = {
    {"fp32", at::kFloat, 1e-5}, {"bf16", at::kBFloat16, 8e-3}, {"fp16", at::kHalf, 1e-3}};

struct Inputs {
  at::Tensor x, more, weight, bias, by;

  Inputs(std::int64_t images, std::int64_t channels, std::int64_t side)
      : x(at::randn({images, channels, side, side}) * 2 + 3),
        more(at::randn(x.sizes())),
        weight(at::randn({channels})),
        bias(at::randn({channels})),
        by(at::randn(x.sizes())) {}

  /// Leaves of `type` on the device, channels-last; parameters in float32 at least.
  Inputs on(c10::Device device, c10::ScalarType type) const {
    Inputs there = *this;
    for (at::Tensor* t : {&there.x, &there.more, &there.by})
      *t = t->to(device, type).contiguous(at::MemoryFormat::ChannelsLast);
    for (at::Tensor* t : {&there.weight, &there.bias})
      *t = t->to(device, type == at::kDouble ? at::kDouble : at::kFloat);
    return there;
  }
  void want_gradients() {
    for (at::Tensor* t : {&x, &more, &weight, &bias}) *t = t->detach().clone().set_requires_grad(true);
  }
};

using Norm = at::Tensor (*)(const at::Tensor&, std::int64_t, const at::Tensor&, const at::Tensor&);
at::Tensor ours(const at::Tensor& x, std::int64_t groups, const at::Tensor& weight, const at::Tensor& bias) {
  return group_norm(x, groups, weight, bias, 1e-6, true);
}
/// As autocast computes it: in float32.
at::Tensor by_operators(const at::Tensor& x, std::int64_t groups, const at::Tensor& weight,
                        const at::Tensor& bias) {
  return at::silu(at::group_norm(x.to(weight.scalar_type()), groups, weight, bias, 1e-6)).to(x.scalar_type());
}

/// The result of both, and the gradients of all that goes in.
std::array<at::Tensor, 5> everything(Inputs in, std::int64_t groups, Norm norm) {
  in.want_gradients();
  const at::Tensor y = scaled_sum(norm(in.x, groups, in.weight, in.bias), in.more, 0.7);
  y.backward(in.by);
  return {y.detach(), in.x.grad(), in.more.grad(), in.weight.grad(), in.bias.grad()};
}

int check_shape(std::int64_t images, std::int64_t channels, std::int64_t side, c10::Device device) {
  int failures = 0;
  const std::int64_t groups = std::min<std::int64_t>(32, channels / 4);
  const Inputs inputs(images, channels, side);
  for (const NormType& type : kNormTypes) {
    const Inputs there = inputs.on(device, type.type);
    const auto exact = everything(there.on(at::kCPU, at::kDouble), groups, by_operators);
    const auto got = everything(there, groups, ours);
    double worst = 0;
    for (std::size_t i = 0; i < got.size(); ++i) {
      const double off = (got[i].cpu().to(at::kDouble) - exact[i]).abs().max().item<double>() /
                         std::max(1.0, exact[i].abs().max().item<double>());
      worst = std::isfinite(off) ? std::max(worst, off) : 1e30;
    }
    failures += report(worst <= type.allowed,
                       fmt::format("{:<20} {} {}x{}x{}x{} results and gradients off by {:.1e} of the largest",
                                   "group norm", type.name, images, channels, side, side, worst));
  }
  return failures;
}

void time_shape(std::int64_t images, std::int64_t channels, std::int64_t side, c10::Device device) {
  Inputs in = Inputs(images, channels, side).on(device, at::kBFloat16);
  const std::int64_t groups = std::min<std::int64_t>(32, channels / 4);
  const auto bytes = static_cast<double>(in.x.nbytes());
  for (const auto& [name, norm] :
       {std::pair{"kernels", Norm(ours)}, std::pair{"operators", Norm(by_operators)}}) {
    double forward = 0;
    {
      const at::NoGradGuard no_gradients;
      forward = seconds(
          device, 5, [&] { norm(in.x, groups, in.weight, in.bias); }, 10, 3);
    }
    in.want_gradients();
    const double both = seconds(
        device, 5, [&] { norm(in.x, groups, in.weight, in.bias).backward(in.by); }, 10, 3);
    fmt::print(
        "       {}x{}x{}x{} by {:<9} {:>7.1f} us, with gradients {:>7.1f} us; {:.0f} GB/s and {:.0f} GB/s\n",
        images, channels, side, side, name, 1e6 * forward, 1e6 * both, 3 * bytes / forward / 1e9,
        8 * bytes / both / 1e9);
  }
  const at::NoGradGuard no_gradients;
  const double sum = seconds(
      device, 5, [&] { scaled_sum(in.x, in.more, 0.7); }, 10, 3);
  fmt::print("       scaled sum {:.1f} us, {:.0f} GB/s\n", 1e6 * sum, 3 * bytes / sum / 1e9);
}

}  // namespace

int check_group_norms(c10::Device device, Extent extent) {
  at::manual_seed(29);
  int failures = check_shape(2, 128, 20, device) + check_shape(1, 20, 7, device);
  if (extent == Extent::kQuick) return failures;
  failures += check_shape(3, 384, 40, device);
  if (!device.is_cpu())
    for (const auto& [channels, side] : {std::pair{128, 160}, std::pair{256, 160}, std::pair{256, 20}})
      time_shape(12, channels, side, device);
  return failures;
}

}  // namespace imatch::testing
