// SPDX-License-Identifier: Apache-2.0
#include "nn/group_norm.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/autocast_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/group_norm.h>
#include <ATen/ops/silu.h>
#include <c10/core/DeviceGuard.h>
#include <fmt/format.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "cuda/kernels.h"

namespace imatch {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

constexpr std::int64_t kWarp = 32, kPackBytes = 16;

bool is_channels_last(const at::Tensor& x) {
  return x.dim() == 4 && x.numel() > 0 && x.is_contiguous(at::MemoryFormat::ChannelsLast);
}

bool begins_at_pack(const at::Tensor& x) {
  return reinterpret_cast<std::uintptr_t>(x.const_data_ptr()) % kPackBytes == 0;
}

/// How kernels go through a tensor [images, pixels, channels]; see NormPart of group_norm.cu.
struct NormLaunch {
  bool wide;
  int per_warp, chunks;
  std::int64_t entries;  ///< Of an image, in the sums that threads leave.
  cuda::LaunchShape shape;

  static NormLaunch of(const at::Tensor& x, bool wide) {
    constexpr std::int64_t kEnoughWarps = 4096, kMostPixels = 256, kLeastPixels = 16, kWarpsOfBlock = 8;
    const std::int64_t images = x.size(0), channels = x.size(1), pixels = x.size(2) * x.size(3);
    const auto size = static_cast<std::int64_t>(x.element_size());
    const std::int64_t packs = wide ? channels * size / kPackBytes : channels;
    const std::int64_t at_once = packs < kWarp ? kWarp / packs : 1, beside = (packs + kWarp - 1) / kWarp;
    const std::int64_t per_warp =
        std::clamp(images * pixels * beside / kEnoughWarps, kLeastPixels, kMostPixels);
    const std::int64_t chunks = (pixels + per_warp - 1) / per_warp;
    NormLaunch launch{wide, static_cast<int>(per_warp), static_cast<int>(chunks), chunks * at_once, {}};
    launch.shape = warps(images * chunks * beside, kWarpsOfBlock);
    return launch;
  }
  /// Blocks of `of_block` warps.
  static cuda::LaunchShape warps(std::int64_t count, std::int64_t of_block = 4) {
    return {.blocks_x = static_cast<unsigned>((count + of_block - 1) / of_block),
            .threads_x = static_cast<unsigned>(kWarp),
            .threads_y = static_cast<unsigned>(of_block)};
  }
  std::string named(std::string_view kernel) const {
    return fmt::format("{}{}", kernel, wide ? "_wide" : "");
  }
};

bool can_be_wide(const at::Tensor& x) {
  return x.size(1) * static_cast<std::int64_t>(x.element_size()) % kPackBytes == 0;
}

/// Those that the caller has seen to be there; a gradient comes later, when they may be switched off.
const cuda::Kernels& kernels_of(const at::Tensor& x) {
  const cuda::Kernels* kernels = cuda::kernels_for(x);
  if (!kernels) throw Error("group_norm: the kernels were switched off before the gradient was computed");
  return *kernels;
}

class GroupNorm : public Function<GroupNorm> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const at::Tensor& bias, std::int64_t groups, double eps, bool silu) {
    const c10::DeviceGuard guard(x.device());
    const cuda::Kernels& kernels = kernels_of(x);
    at::Tensor out = at::empty_like(x);
    const auto launch = NormLaunch::of(x, can_be_wide(x) && begins_at_pack(x) && begins_at_pack(out));
    const long long images = x.size(0);
    const int pixels = static_cast<int>(x.size(2) * x.size(3)), channels = static_cast<int>(x.size(1));
    const at::TensorOptions exact = x.options().dtype(at::kFloat).memory_format(std::nullopt);
    const at::Tensor partial = at::empty({images, launch.entries, channels, 2}, exact);
    const at::Tensor statistics = at::empty({images, groups, 2}, exact);
    kernels.launch(launch.named("group_norm_sums"), launch.shape, x.data_ptr(), partial.data_ptr(), images,
                   pixels, channels, static_cast<int>(groups), launch.per_warp, launch.chunks);
    kernels.launch("group_norm_statistics", NormLaunch::warps(images * groups), x.data_ptr(),
                   partial.data_ptr(), statistics.data_ptr(), images, pixels, channels,
                   static_cast<int>(groups), static_cast<int>(launch.entries), static_cast<float>(eps));
    kernels.launch(launch.named("group_norm_apply"), launch.shape, x.data_ptr(), statistics.data_ptr(),
                   weight.data_ptr(), bias.data_ptr(), out.data_ptr(), images, pixels, channels,
                   static_cast<int>(groups), launch.per_warp, launch.chunks, static_cast<int>(silu));
    context->save_for_backward({x, weight, bias, statistics});
    context->saved_data["silu"] = silu;
    return out;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], &bias = saved[2], &statistics = saved[3];
    const int silu = context->saved_data["silu"].toBool();
    const c10::DeviceGuard guard(x.device());
    const cuda::Kernels& kernels = kernels_of(x);
    const at::Tensor gradient = gradients[0].to(x.scalar_type()).contiguous(at::MemoryFormat::ChannelsLast);
    const at::Tensor out = at::empty_like(x);
    const auto launch = NormLaunch::of(
        x, can_be_wide(x) && begins_at_pack(x) && begins_at_pack(gradient) && begins_at_pack(out));
    const long long images = x.size(0), groups = statistics.size(1);
    const int pixels = static_cast<int>(x.size(2) * x.size(3)), channels = static_cast<int>(x.size(1));
    const at::Tensor partial = at::empty({images, launch.entries, channels, 2}, statistics.options());
    const at::Tensor means = at::empty_like(statistics);
    const at::Tensor by_weight = at::empty_like(weight), by_bias = at::empty_like(bias);
    kernels.launch(launch.named("group_norm_gradient_sums"), launch.shape, x.data_ptr(), gradient.data_ptr(),
                   statistics.data_ptr(), weight.data_ptr(), bias.data_ptr(), partial.data_ptr(), images,
                   pixels, channels, static_cast<int>(groups), launch.per_warp, launch.chunks, silu);
    kernels.launch("group_norm_gradient_means", NormLaunch::warps(images * groups), partial.data_ptr(),
                   weight.data_ptr(), means.data_ptr(), images, pixels, channels, static_cast<int>(groups),
                   static_cast<int>(launch.entries));
    kernels.launch("group_norm_parameter_gradients", NormLaunch::warps(channels), partial.data_ptr(),
                   by_weight.data_ptr(), by_bias.data_ptr(), static_cast<long long>(images * launch.entries),
                   channels);
    kernels.launch(launch.named("group_norm_gradient"), launch.shape, x.data_ptr(), gradient.data_ptr(),
                   statistics.data_ptr(), means.data_ptr(), weight.data_ptr(), bias.data_ptr(),
                   out.data_ptr(), images, pixels, channels, static_cast<int>(groups), launch.per_warp,
                   launch.chunks, silu);
    return {out, by_weight, by_bias, at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

class ScaledSum : public Function<ScaledSum> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& a, const at::Tensor& b,
                            double scale) {
    const c10::DeviceGuard guard(a.device());
    at::Tensor out = at::empty_like(a);
    const bool wide = can_be_wide(a) && begins_at_pack(a) && begins_at_pack(b) && begins_at_pack(out);
    const long long rows = a.size(0) * a.size(2) * a.size(3);
    const cuda::Kernels& kernels = kernels_of(a);
    kernels.launch(wide ? "scaled_sum_wide" : "scaled_sum", NormLaunch::warps(rows, 8), a.data_ptr(),
                   b.data_ptr(), out.data_ptr(), rows, static_cast<int>(a.size(1)),
                   static_cast<float>(scale));
    context->saved_data["scale"] = scale;
    return out;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const at::Tensor scaled = gradients[0].mul(context->saved_data["scale"].toDouble());
    return {scaled, scaled, at::Tensor()};
  }
};

}  // namespace

bool prefers_channels_last(const at::Tensor& x) {
  if (!x.is_cuda() || !cuda::kernels_for(x)) return false;
  const bool is_short = x.scalar_type() == at::kBFloat16 || x.scalar_type() == at::kHalf;
  return is_short || at::autocast::is_autocast_enabled(x.device().type()) ||
         at::globalContext().allowTF32CuDNN();
}

at::Tensor group_norm(const at::Tensor& x, std::int64_t groups, const at::Tensor& weight,
                      const at::Tensor& bias, double eps, bool silu) {
  if (is_channels_last(x) && cuda::kernels_for(x) && x.size(1) % groups == 0)
    return GroupNorm::apply(x, weight.to(at::kFloat), bias.to(at::kFloat), groups, eps, silu);
  const at::Tensor y = at::group_norm(x, groups, weight, bias, eps);
  return silu ? at::silu(y) : y;
}

at::Tensor scaled_sum(const at::Tensor& a, const at::Tensor& b, double scale) {
  const bool alike = a.sizes() == b.sizes() && a.scalar_type() == b.scalar_type() && is_channels_last(a) &&
                     is_channels_last(b) && a.device() == b.device();
  return alike && cuda::kernels_for(a) ? ScaledSum::apply(a, b, scale) : (a + b) * scale;
}

}  // namespace imatch
