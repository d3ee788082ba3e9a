// SPDX-License-Identifier: Apache-2.0
#include "gpu/throughput.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/randn.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>

#include "gpu/networks.h"
#include "nn/device_batches.h"

namespace imatch::testing {
namespace {

struct NumberType {
  const char* name;
  c10::ScalarType type;
};
constexpr NumberType kNumberTypes[] = {{"fp32", at::kFloat}, {"bf16", at::kBFloat16}, {"fp16", at::kHalf}};

/// Seconds of one call: the median of `rounds`, after one that is not counted.
double seconds(c10::Device device, int rounds, const std::function<void()>& call) {
  const auto wait = [&] {
    if (!device.is_cpu()) c10::impl::VirtualGuardImpl(device.type()).synchronizeDevice(device.index());
  };
  std::vector<double> times;
  for (int round = 0; round <= rounds; ++round) {
    wait();
    const auto start = std::chrono::steady_clock::now();
    call();
    wait();
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    if (round > 0) times.push_back(elapsed.count());
  }
  std::ranges::sort(times);
  return times[times.size() / 2];
}

/// Operations a second.
double matrix_product_rate(c10::Device device, c10::ScalarType type, std::int64_t side) {
  const at::Tensor a = at::randn({side, side}, at::TensorOptions(device)).to(type), b = a.clone();
  return 2 * std::pow(static_cast<double>(side), 3) / seconds(device, 5, [&] { at::mm(a, b); });
}

struct Job {
  const char* alias;
  int image_px, depth;
  std::int64_t batch;
};

double images_a_second(const Job& job, c10::Device device, c10::ScalarType type, std::size_t batches) {
  const Forward forward = vision_transformer(job.alias, job.image_px, job.depth).open(device, type);
  const at::Tensor images = at::randn({job.batch, 3, job.image_px, job.image_px});
  const double time = seconds(device, 3, [&] {
    run_batches(
        batches, device, type, [&](std::size_t) { return images; }, forward,
        [](std::size_t, const std::vector<at::Tensor>&) {});
  });
  return static_cast<double>(batches) * static_cast<double>(job.batch) / time;
}

}  // namespace

void print_throughput(c10::Device device, Extent extent) {
  const at::NoGradGuard no_gradients;
  const bool full = extent == Extent::kFull;
  std::vector<Job> jobs{{"vits14", 112, 2, 2}};
  if (full)
    jobs = {{"vits14", 336, 0, 64},  {"vitb14", 336, 0, 64},  {"vitl14", 336, 0, 32},
            {"vits16", 1024, 0, 16}, {"vitb16", 1024, 0, 16}, {"vitl16", 1024, 0, 8}};
  for (const auto& [name, type] : kNumberTypes) {
    if (device.is_cpu() && type == at::kHalf) continue;  // LibTorch has no fast products of that type there
    const double peak = matrix_product_rate(device, type, full ? 8192 : 512);
    fmt::print("{}: a matrix product runs at {:.3g} TFLOP/s\n", name, peak / 1e12);
    for (const Job& job : jobs) {
      const double rate = images_a_second(job, device, type, full ? 8 : 2);
      const double operations = vision_transformer_operations(job.alias, job.image_px, job.depth);
      fmt::print("  {:<8} {:>4} px  batch {:<3} {:>9.1f} images/s  {:>5.1f} % of it\n", job.alias,
                 job.image_px, job.batch, rate, 100 * rate * operations / peak);
    }
  }
}

}  // namespace imatch::testing
