// SPDX-License-Identifier: Apache-2.0
#include "gpu/fused_kernels.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cuda/kernels.h"
#include "gpu/networks.h"
#include "gpu/report.h"
#include "gpu/timing.h"
#include "index/coreset.h"
#include "nn/attention.h"
#include "nn/attention_backends.h"
#include "nn/device_batches.h"
#include "nn/fused.h"
#include "nn/recorded_forward.h"

namespace imatch::testing {
namespace {

struct NumberType {
  const char* name;
  c10::ScalarType type;
  double unit;  ///< Half a unit in the last place of 1, with room for another order of sums.
};
constexpr NumberType kNumberTypes[] = {
    {"fp32", at::kFloat, 4e-6}, {"bf16", at::kBFloat16, 1.0 / 256}, {"fp16", at::kHalf, 1.0 / 2048}};

/// An operator of nn/fused.h on tensors of a type and device; what it changes in place is copied before.
using Operator = std::function<at::Tensor(const std::vector<at::Tensor>&)>;

struct Case {
  std::string name;
  std::vector<at::Tensor> inputs;  ///< float64 on the CPU.
  Operator compute;
  double units;  ///< What is allowed, in units of the type: what is rounded twice may be off by more.
  double bytes;  ///< Read and written at least, in elements.
};

std::vector<Case> cases(std::int64_t images, std::int64_t tokens, std::int64_t width, std::int64_t wide) {
  const auto random = [](std::vector<std::int64_t> sizes) { return at::randn(sizes, at::kDouble); };
  const std::int64_t heads = width % 64 == 0 ? width / 64 : 1, dim = width / heads;
  const at::Tensor x = random({images, tokens, width}), weight = random({width}), bias = random({width});
  const auto count = static_cast<double>(images * tokens);
  const at::Tensor angle = at::rand({tokens, dim / 2}, at::kDouble).mul(6);
  return {
      {"layer_norm",
       {x, weight, bias},
       [](const auto& t) { return fused::layer_norm(t[0], t[1], t[2], 1e-6); },
       4,
       2 * count * width},
      {"residual_norm",
       {x, random({images, tokens, width}), random({width}), weight, bias},
       [](const auto& t) {
         at::Tensor sum = t[0].clone();
         const at::Tensor normed = fused::residual_norm(sum, t[1], t[2], t[3], t[4], 1e-6);
         return at::cat({sum, normed});
       },
       8,
       4 * count * width},
      {"linear + bias_gelu",
       {random({images, tokens, 8}), random({wide, 8}), random({wide})},
       [](const auto& t) { return fused::linear_gelu(t[0], t[1], t[2]); },
       24,
       2 * count * wide},
      {"swiglu",
       {random({images, tokens, 2 * wide})},
       [wide](const auto& t) { return fused::swiglu(t[0].narrow(2, 0, wide), t[0].narrow(2, wide, wide)); },
       4,
       3 * count * wide},
      {"rotated_heads",
       {random({images, tokens, 3 * width}), angle.cos(), angle.sin()},
       [heads, width](const auto& t) {
         const auto table = [&](const at::Tensor& of) {
           return t[0].scalar_type() == at::kDouble ? of : of.to(at::kFloat);
         };
         const auto [query, key] = fused::rotated_heads(
             t[0].narrow(2, 0, width), t[0].narrow(2, width, width), heads, table(t[1]), table(t[2]));
         return at::cat({query, key});
       },
       4,
       4 * count * width},
  };
}

double worst_in_units(const at::Tensor& got, const at::Tensor& exact, double unit) {
  const at::Tensor allowed = exact.abs().clamp_min(1).mul(unit);
  const double worst = (got.to(at::kCPU).to(at::kDouble) - exact).abs().div(allowed).max().item<double>();
  return std::isfinite(worst) ? worst : 1e30;
}

/// Kernels are on again at the end of the scope.
struct WithoutKernels {
  WithoutKernels() { cuda::use_kernels(false); }
  ~WithoutKernels() { cuda::use_kernels(true); }
};

int check_case(const Case& c, const std::string& shape, const NumberType& type, c10::Device device,
               bool timed) {
  std::vector<at::Tensor> rounded, there;
  for (const at::Tensor& input : c.inputs) {
    const bool is_table = c.name == "rotated_heads" && !rounded.empty();
    there.push_back(input.to(device, is_table ? at::kFloat : type.type));
    rounded.push_back(there.back().to(at::kCPU).to(at::kDouble));
  }
  const at::Tensor exact = c.compute(rounded);
  const double by_kernel = worst_in_units(c.compute(there), exact, type.unit);
  double by_operators = 0, seconds_of_operators = 0;
  const auto time = [&] {
    return seconds(
        device, 5, [&] { c.compute(there); }, 20, 5);
  };
  const double seconds_of_kernel = timed ? time() : 0;
  {
    const WithoutKernels without;
    by_operators = worst_in_units(c.compute(there), exact, type.unit);
    if (timed) seconds_of_operators = time();
  }
  std::string line = fmt::format("{:<20} {:<18} {} off by {:.2f} units, LibTorch's operators by {:.2f}",
                                 c.name, shape, type.name, by_kernel, by_operators);
  if (timed)
    line += fmt::format("; {:.1f} us, {:.0f} GB/s, LibTorch's {:.1f} us", seconds_of_kernel * 1e6,
                        c.bytes * static_cast<double>(there[0].element_size()) / seconds_of_kernel / 1e9,
                        seconds_of_operators * 1e6);
  return report(by_kernel <= c.units && by_operators <= c.units, line);
}

}  // namespace

int check_fused_kernels(c10::Device device, Extent extent) {
  const at::NoGradGuard no_gradients;
  fmt::print("kernels on {}: {}\n", cuda::device_name(device), cuda::kernels_status(device));
  int failures = 0;
  if (!device.is_cpu())
    failures += report(fused::has_kernels(at::randn({1}, at::TensorOptions(device))),
                       "kernels are compiled and loaded");
  at::manual_seed(11);
  std::vector<std::array<std::int64_t, 4>> shapes{{2, 9, 96, 200}, {3, 5, 94, 33}};
  if (extent == Extent::kFull)
    shapes = {{2, 9, 96, 200}, {3, 5, 94, 33}, {1, 577, 384, 1536}, {2, 577, 4100, 8192}};
  for (const auto& [images, tokens, width, wide] : shapes)
    for (const Case& c : cases(images, tokens, width, wide))
      for (const NumberType& type : kNumberTypes)
        failures += check_case(c, fmt::format("{}x{}x{}", images, tokens, width), type, device, false);
  if (extent == Extent::kFull)  // ViT-B/14 at 336 px
    for (const Case& c : cases(16, 577, 768, 3072))
      failures += check_case(c, "16x577x768", kNumberTypes[1], device, true);
  return failures;
}

int check_attention(c10::Device device, Extent extent) {
  const at::NoGradGuard no_gradients;
  at::manual_seed(13);
  int failures = 0;
  const std::int64_t tokens = extent == Extent::kFull ? 577 : 33;
  for (const NumberType& type : kNumberTypes) {
    if (device.is_cpu() && type.type == at::kHalf) continue;
    const at::Tensor qkv = at::randn({2, tokens, 3 * 384}).to(type.type).to(at::kDouble);
    const auto attended = [&](const at::Tensor& all) {
      const auto part = [&](std::int64_t i) {
        return all.narrow(2, 384 * i, 384).unflatten(2, {6, 64}).transpose(1, 2);
      };
      return attention(part(0), part(1), part(2));
    };
    const double worst = worst_in_units(attended(qkv.to(device, type.type)), attended(qkv), type.unit);
    failures +=
        report(worst <= 4, fmt::format("{:<20} {} off by {:.2f} units", "attention", type.name, worst));
  }
  for (const auto& [shape, name] : chosen_attention())
    fmt::print("       attention of {}: {}\n", shape, name);
  return failures;
}

int check_recording(c10::Device device, Extent extent) {
  const at::NoGradGuard no_gradients;
  at::manual_seed(17);
  int failures = 0;
  for (const char* alias : {"vits14", "vits16"}) {
    const NetworkCase network = vision_transformer(alias, 112, extent == Extent::kFull ? 0 : 2);
    const Forward plain = network.open(device, at::kFloat);
    RecordedForward recorded(plain, cuda::graph_recorder(device));
    double worst = 0;
    for (int i = 0; i < 6; ++i) {
      const at::Tensor x = at::randn({1, 3, 112, 112}).to(device);
      const std::vector<at::Tensor> exact = plain(x), got = recorded(x);
      for (std::size_t k = 0; k < exact.size(); ++k)
        worst = std::max(worst, (got[k] - exact[k]).abs().max().item<double>());
    }
    const bool can_record = static_cast<bool>(cuda::graph_recorder(device));
    const bool passed =
        worst <= 1e-4 && recorded.problem().empty() && (recorded.replays() == 4) == can_record;
    failures += report(
        passed, fmt::format("{:<20} recorded: {} of 6 replayed, off by {:.1e}{}", alias, recorded.replays(),
                            worst, recorded.problem().empty() ? "" : "; " + recorded.problem()));
  }
  if (device.is_cuda() && !cuda::graph_recorder(device))
    fmt::print("       built without CUDA's headers: nothing is recorded\n");
  return failures;
}

int check_samples(c10::Device device, Extent extent) {
  const at::NoGradGuard no_gradients;
  at::manual_seed(19);
  const std::int64_t side = extent == Extent::kFull ? 336 : 56;
  const std::array<float, 3> mean{0.485f, 0.456f, 0.406f}, std{0.229f, 0.224f, 0.225f};
  const at::Tensor samples = at::randint(256, {5, side, side + 14, 3}, at::kByte);
  int failures = 0;
  for (const NumberType& type : kNumberTypes) {
    std::vector<at::Tensor> parts;
    run_batches(
        3, device, type.type,
        [&](std::size_t i) { return samples.narrow(0, 2 * static_cast<std::int64_t>(i), i < 2 ? 2 : 1); },
        [&](const at::Tensor& x) {
          return std::vector<at::Tensor>{fused::normalized_pixels(x, mean, std, type.type)};
        },
        [&](std::size_t, const std::vector<at::Tensor>& outputs) { parts.push_back(outputs[0].clone()); });
    const at::Tensor exact = fused::normalized_pixels(samples, mean, std, type.type).to(at::kFloat);
    const at::Tensor got = at::cat(parts);
    failures +=
        report(at::equal(got, exact), fmt::format("{:<20} {} from samples of 8 bits, off by {:.1e}", "pixels",
                                                  type.name, (got - exact).abs().max().item<double>()));
    const at::Tensor images = exact.to(type.type).narrow(3, 0, side);
    const std::int64_t padded = 3 * 14 * 14 + 4;
    const bool same = at::equal(fused::patch_rows(images.contiguous().to(device), 14, padded).cpu(),
                                fused::patch_rows(images.contiguous(), 14, padded));
    failures +=
        report(same, fmt::format("{:<20} {} {}", "patch rows", type.name, same ? "the same" : "differ"));
  }
  return failures;
}

int check_coreset(c10::Device device, Extent extent) {
  const at::NoGradGuard no_gradients;
  at::manual_seed(23);
  const at::Tensor rows = at::randn({extent == Extent::kFull ? 20'000 : 2'000, 64});
  const CoresetOptions options{.ratio = 0.02, .project = false, .seed = 5};
  const at::Tensor exact = coreset(rows, options), other = coreset(rows.to(device), options);
  const auto same = exact.eq(other).sum().item<std::int64_t>();
  return report(same == exact.numel(),
                fmt::format("{:<20} {} of {} picks the same", "coreset", same, exact.numel()));
}

}  // namespace imatch::testing
