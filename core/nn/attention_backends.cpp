// SPDX-License-Identifier: Apache-2.0
#include "nn/attention_backends.h"

#include <ATen/ops/_scaled_dot_product_cudnn_attention.h>
#include <ATen/ops/_scaled_dot_product_efficient_attention.h>
#include <ATen/ops/_scaled_dot_product_flash_attention.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <fmt/format.h>
#include <torch/csrc/api/include/torch/version.h>

#include <chrono>

#include "base/file.h"
#include "cuda/fastest.h"
#include "cuda/kernels.h"

namespace imatch {
namespace {

using Backend = at::Tensor (*)(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value);

struct NamedBackend {
  const char* name;
  Backend compute;
};

constexpr NamedBackend kBackends[] = {
    {"cudnn",
     [](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
       return std::get<0>(
           at::_scaled_dot_product_cudnn_attention(q, k, v, std::nullopt, false, 0.0, false, false));
     }},
    {"flash",
     [](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
       return std::get<0>(at::_scaled_dot_product_flash_attention(q, k, v, 0.0, false, false));
     }},
    {"efficient",
     [](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
       return std::get<0>(
           at::_scaled_dot_product_efficient_attention(q, k, v, std::nullopt, false, 0.0, false));
     }},
};

/// Never destroyed: what was opened first must not go before what uses it.
cuda::Fastest& fastest_backend() {
  static auto& choice = *new cuda::Fastest(
      [] {
        std::vector<std::string> names;
        for (const NamedBackend& backend : kBackends) names.emplace_back(backend.name);
        return names;
      }(),
      user_cache_folder() + "/kernels/attention");
  return choice;
}

/// Of one call, when a few follow each other; the first ones, which load libraries and make plans, do not
/// count.
double seconds_of(Backend compute, const at::Tensor& query, const at::Tensor& key, const at::Tensor& value) {
  constexpr int kWarmUp = 3, kCalls = 10;
  const c10::impl::VirtualGuardImpl device(query.device().type());
  for (int i = 0; i < kWarmUp; ++i) compute(query, key, value);
  device.synchronizeDevice(query.device().index());
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < kCalls; ++i) compute(query, key, value);
  device.synchronizeDevice(query.device().index());
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / kCalls;
}

}  // namespace

at::Tensor attention_on_gpu(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value) {
  const std::string shape = fmt::format("LibTorch {}, {}, {} {}x{}x{}x{}", TORCH_VERSION,
                                        cuda::device_name(query.device()), c10::toString(query.scalar_type()),
                                        query.size(0), query.size(1), query.size(2), query.size(3));
  const std::size_t way = fastest_backend().choose(
      shape, [&](std::size_t i) { return seconds_of(kBackends[i].compute, query, key, value); });
  return way < std::size(kBackends) ? kBackends[way].compute(query, key, value)
                                    : at::scaled_dot_product_attention(query, key, value);
}

std::map<std::string, std::string> chosen_attention() {
  return fastest_backend().chosen();
}

}  // namespace imatch
