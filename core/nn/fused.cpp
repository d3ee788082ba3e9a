// SPDX-License-Identifier: Apache-2.0
#include "nn/fused.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/tensor.h>
#include <c10/core/DeviceGuard.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "cuda/kernels.h"
#include "nn/gradients.h"
#include "nn/vision_transformer_positions.h"

namespace imatch::fused {
namespace {

constexpr std::int64_t kPackBytes = 16;  // numbers.cuh

/// Whether kernels can go through x row by row: rows of the last dimension, one behind the other.
bool is_plain(const at::Tensor& x) {
  return x.is_contiguous() && x.numel() > 0;
}

/// Elements from one row of the last dimension to the next where that is one number for all rows, as in a
/// part of a product's last dimension; 0 where it is not.
std::int64_t row_stride(const at::Tensor& x) {
  if (x.dim() < 2 || x.numel() == 0 || x.stride(-1) != 1) return 0;
  const std::int64_t stride = x.stride(-2);
  std::int64_t rows = x.size(-2);
  for (std::int64_t dim = x.dim() - 3; dim >= 0; --dim) {
    if (x.size(dim) > 1 && x.stride(dim) != rows * stride) return 0;
    rows *= x.size(dim);
  }
  return stride;
}

/// Which kernels, if any, take these tensors: all on one device and of one type.
const cuda::Kernels* kernels_of(std::initializer_list<at::Tensor> tensors) {
  const at::Tensor& first = *tensors.begin();
  const auto fits = [&](const at::Tensor& t) {
    return !t.defined() ||
           (t.device() == first.device() && t.scalar_type() == first.scalar_type() && !needs_gradient(t));
  };
  return std::ranges::all_of(tensors, fits) ? cuda::kernels_for(first) : nullptr;
}

/// Whether all of it can be read in packs of 16 bytes: where it begins, and `elements` at a time.
bool is_wide(std::initializer_list<at::Tensor> tensors, std::initializer_list<std::int64_t> elements) {
  const std::int64_t size = static_cast<std::int64_t>(tensors.begin()->element_size());
  return std::ranges::all_of(tensors,
                             [](const at::Tensor& t) {
                               return !t.defined() ||
                                      reinterpret_cast<std::uintptr_t>(t.const_data_ptr()) % kPackBytes == 0;
                             }) &&
         std::ranges::all_of(elements, [size](std::int64_t n) { return n * size % kPackBytes == 0; });
}

/// Blocks of `threads` that go through rows of `packs` packs; `by_warps`: a warp a row.
cuda::LaunchShape over_rows(std::int64_t rows, std::int64_t packs, bool by_warps = false,
                            std::int64_t threads = 256) {
  constexpr std::int64_t kWarp = 32;
  std::int64_t along = kWarp;
  while (!by_warps && along < packs && along < threads) along *= 2;
  const std::int64_t beside = threads / along;
  return {.blocks_x = static_cast<unsigned>((rows + beside - 1) / beside),
          .threads_x = static_cast<unsigned>(along),
          .threads_y = static_cast<unsigned>(beside)};
}

/// The end of a norm's name (layer_norm.cu) for rows of `width` elements. By trial: up to three packs a
/// thread two of them are best kept, beyond that four.
std::string_view norm_suffix(std::int64_t width, const at::Tensor& x, bool wide) {
  constexpr std::int64_t kWarp = 32;
  const std::int64_t packs = width * static_cast<std::int64_t>(x.element_size()) / kPackBytes;
  return !wide ? "" : packs <= 3 * kWarp ? "_wide_2" : "_wide_4";
}

/// `tensor` is a parameter of type Number*, whatever that is.
void* pointer(const at::Tensor& tensor) {
  return tensor.defined() ? tensor.data_ptr() : nullptr;
}

long long rows_of(const at::Tensor& x) {
  return x.numel() / x.size(-1);
}

std::int64_t pack_of(bool wide, const at::Tensor& x) {
  return wide ? kPackBytes / static_cast<std::int64_t>(x.element_size()) : 1;
}

struct Channels {  // pixels.cu
  float red, green, blue;
};

}  // namespace

bool has_kernels(const at::Tensor& x) {
  return kernels_of({x}) != nullptr;
}

at::Tensor layer_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, double eps) {
  const std::int64_t width = x.size(-1);
  const cuda::Kernels* kernels = is_plain(x) ? kernels_of({x, weight, bias}) : nullptr;
  if (!kernels) return at::layer_norm(x, {width}, weight, bias, eps);
  const c10::DeviceGuard guard(x.device());
  const at::Tensor out = at::empty_like(x);
  const bool wide = is_wide({x, weight, bias, out}, {width});
  kernels->launch(fmt::format("layer_norm{}", norm_suffix(width, x, wide)),
                  over_rows(rows_of(x), width, true), pointer(x), pointer(weight), pointer(bias),
                  pointer(out), rows_of(x), static_cast<int>(width), static_cast<float>(eps));
  return out;
}

at::Tensor residual_norm(at::Tensor& x, const at::Tensor& update, const at::Tensor& scale,
                         const at::Tensor& weight, const at::Tensor& bias, double eps) {
  const std::int64_t width = x.size(-1);
  const bool plain = is_plain(x) && is_plain(update);
  const cuda::Kernels* kernels = plain ? kernels_of({x, update, scale, weight, bias}) : nullptr;
  if (!kernels) {
    add_scaled(x, update, scale);
    return at::layer_norm(x, {width}, weight, bias, eps);
  }
  const c10::DeviceGuard guard(x.device());
  const at::Tensor out = at::empty_like(x);
  const bool wide = is_wide({x, update, scale, weight, bias, out}, {width});
  kernels->launch(fmt::format("residual_norm{}", norm_suffix(width, x, wide)),
                  over_rows(rows_of(x), width, true), pointer(x), pointer(update), pointer(scale),
                  pointer(weight), pointer(bias), pointer(out), rows_of(x), static_cast<int>(width),
                  static_cast<float>(eps));
  return out;
}

at::Tensor linear_gelu(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  const cuda::Kernels* kernels = kernels_of({x, weight, bias});
  if (!kernels) {
    at::Tensor y = at::linear(x, weight, bias);
    return needs_gradient(y) ? at::gelu(y) : at::gelu_(y);
  }
  const c10::DeviceGuard guard(x.device());
  at::Tensor y = at::linear(x, weight).contiguous();
  if (y.numel() == 0) return y;
  const std::int64_t width = y.size(-1);
  const bool wide = is_wide({y, bias}, {width});
  constexpr std::int64_t kRows = 4, kThreads = 128;  // kGeluRows of activation.cu; by trial
  kernels->launch(wide ? "bias_gelu_wide" : "bias_gelu",
                  over_rows((rows_of(y) + kRows - 1) / kRows, width / pack_of(wide, y), false, kThreads),
                  pointer(y), pointer(bias), rows_of(y), static_cast<int>(width));
  return y;
}

at::Tensor swiglu(const at::Tensor& gate, const at::Tensor& value) {
  const std::int64_t stride = row_stride(gate);
  const bool alike = stride > 0 && gate.sizes() == value.sizes() && stride == row_stride(value);
  const cuda::Kernels* kernels = alike ? kernels_of({gate, value}) : nullptr;
  if (!kernels) {
    const at::Tensor gated = at::silu(gate);
    return needs_gradient(gated, value) ? gated.mul(value) : gated.mul_(value);
  }
  const c10::DeviceGuard guard(gate.device());
  const at::Tensor out = at::empty(gate.sizes(), gate.options());
  const std::int64_t width = gate.size(-1);
  const bool wide = is_wide({gate, value, out}, {width, stride});
  kernels->launch(wide ? "swiglu_wide" : "swiglu", over_rows(rows_of(gate), width / pack_of(wide, gate)),
                  pointer(gate), pointer(value), pointer(out), rows_of(gate), static_cast<int>(width),
                  static_cast<long long>(stride));
  return out;
}

std::array<at::Tensor, 2> rotated_heads(const at::Tensor& query, const at::Tensor& key, std::int64_t heads,
                                        const at::Tensor& cosines, const at::Tensor& sines) {
  const std::int64_t dim = query.size(2) / heads, half = dim / 2, tokens = query.size(1);
  const std::int64_t stride = row_stride(query);
  const bool alike = stride > 0 && stride == row_stride(key) && query.sizes() == key.sizes() &&
                     is_plain(cosines) && is_plain(sines) && cosines.scalar_type() == at::kFloat &&
                     cosines.device() == query.device();
  const cuda::Kernels* kernels = alike ? kernels_of({query, key}) : nullptr;
  if (!kernels) {
    const auto rotated = [&](const at::Tensor& all) {
      return RotaryPositions::rotated(all.unflatten(2, {heads, dim}).transpose(1, 2), {cosines, sines});
    };
    return {rotated(query), rotated(key)};
  }
  const c10::DeviceGuard guard(query.device());
  const at::Tensor out = at::empty({2, query.size(0), tokens, heads, dim}, query.options());
  const long long rows = rows_of(query);
  const bool wide = is_wide({query, key, out}, {half, stride});
  cuda::LaunchShape shape = over_rows(rows, heads * half / pack_of(wide, query));
  shape.blocks_y = 2;
  kernels->launch(wide ? "rotated_heads_wide" : "rotated_heads", shape, pointer(query), pointer(key),
                  cosines.data_ptr(), sines.data_ptr(), pointer(out), rows, static_cast<int>(tokens),
                  static_cast<int>(heads), static_cast<int>(half), static_cast<long long>(stride));
  return {out[0].transpose(1, 2), out[1].transpose(1, 2)};
}

at::Tensor normalized_pixels(const at::Tensor& samples, const std::array<float, 3>& mean,
                             const std::array<float, 3>& std, c10::ScalarType dtype) {
  const std::int64_t height = samples.size(1), width = samples.size(2);
  const cuda::Kernels* kernels = is_plain(samples) ? cuda::kernels_for(samples.device(), dtype) : nullptr;
  if (!kernels) {
    const auto channels = [&](const std::array<float, 3>& of) {
      return at::tensor(at::ArrayRef<float>(of), at::kFloat).to(samples.device());
    };
    return samples.to(at::kFloat)
        .div_(255)
        .sub_(channels(mean))
        .div_(channels(std))
        .permute({0, 3, 1, 2})
        .to(dtype, /*non_blocking=*/false, /*copy=*/false, at::MemoryFormat::Contiguous);
  }
  const c10::DeviceGuard guard(samples.device());
  const at::Tensor out = at::empty({samples.size(0), 3, height, width}, samples.options().dtype(dtype));
  const long long rows = samples.size(0) * height;
  kernels->launch("normalized_pixels", over_rows(rows, width), samples.data_ptr(), pointer(out), rows,
                  static_cast<int>(height), static_cast<int>(width), Channels{mean[0], mean[1], mean[2]},
                  Channels{std[0], std[1], std[2]});
  return out;
}

at::Tensor patch_rows(const at::Tensor& images, std::int64_t side, std::int64_t padded) {
  const std::int64_t n = images.size(0), rows = images.size(2) / side, cols = images.size(3) / side;
  const std::int64_t values = 3 * side * side;
  const cuda::Kernels* kernels = is_plain(images) ? kernels_of({images}) : nullptr;
  if (!kernels) {
    const at::Tensor patches = images.view({n, 3, rows, side, cols, side})
                                   .permute({0, 2, 4, 1, 3, 5})
                                   .reshape({n, rows * cols, values});
    return padded == values ? patches : at::constant_pad_nd(patches, {0, padded - values}, 0);
  }
  const c10::DeviceGuard guard(images.device());
  const at::Tensor out = at::empty({n, rows * cols, padded}, images.options());
  kernels->launch("patch_rows", over_rows(rows_of(out), padded), pointer(images), pointer(out), rows_of(out),
                  static_cast<int>(rows), static_cast<int>(cols), static_cast<int>(side),
                  static_cast<int>(padded));
  return out;
}

}  // namespace imatch::fused
