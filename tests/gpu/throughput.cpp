// SPDX-License-Identifier: Apache-2.0
#include "gpu/throughput.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <fmt/format.h>

#include <cmath>
#include <vector>

#include "cuda/kernels.h"
#include "gpu/networks.h"
#include "gpu/timing.h"
#include "nn/attention_backends.h"
#include "nn/device_batches.h"
#include "nn/fused.h"
#include "nn/recorded_forward.h"

namespace imatch::testing {
namespace {

struct NumberType {
  const char* name;
  c10::ScalarType type;
};
constexpr NumberType kNumberTypes[] = {{"bf16", at::kBFloat16}, {"fp16", at::kHalf}, {"fp32", at::kFloat}};

/// Operations a second.
double matrix_product_rate(c10::Device device, c10::ScalarType type, std::int64_t side) {
  const at::Tensor a = at::randn({side, side}, at::TensorOptions(device)).to(type), b = a.clone();
  return 2 * std::pow(static_cast<double>(side), 3) /
         seconds(
             device, 5, [&] { at::mm(a, b); }, 4, 4);
}

/// Images a second of batches that lie on the device.
double resident_rate(const TransformerJob& job, const Forward& forward, c10::Device device,
                     c10::ScalarType type, int calls) {
  const at::Tensor images = at::randn({job.batch, 3, job.image_px, job.image_px}).to(device, type);
  return static_cast<double>(job.batch) / seconds(
                                              device, 3, [&] { forward(images); }, calls, 3);
}

/// The same with samples from page-locked memory, as decoded pictures come, and tokens in float32 back.
double rate_with_copies(const TransformerJob& job, const Forward& forward, c10::Device device,
                        c10::ScalarType type, std::size_t batches) {
  at::Tensor samples = at::randint(256, {job.batch, job.image_px, job.image_px, 3}, at::kByte);
  if (!device.is_cpu()) samples = samples.pin_memory();
  const double time = seconds(device, 3, [&] {
    run_batches(
        batches, device, type, [&](std::size_t) { return samples; },
        [&](const at::Tensor& x) {
          return forward(
              fused::normalized_pixels(x, {0.485f, 0.456f, 0.406f}, {0.229f, 0.224f, 0.225f}, type));
        },
        [](std::size_t, const std::vector<at::Tensor>&) {});
  });
  return static_cast<double>(batches) * static_cast<double>(job.batch) / time;
}

/// Seconds of one image that lies on the device, waited for each time.
double latency(const TransformerJob& job, const Forward& forward, c10::Device device, c10::ScalarType type) {
  const at::Tensor image = at::randn({1, 3, job.image_px, job.image_px}).to(device, type);
  return seconds(
      device, device.is_cpu() ? 3 : 30, [&] { forward(image); }, 1, 5);
}

}  // namespace

void print_throughput(c10::Device device, Extent extent, bool all_types) {
  const at::NoGradGuard no_gradients;
  const bool full = extent == Extent::kFull;
  fmt::print("kernels on {}: {}\n", cuda::device_name(device), cuda::kernels_status(device));
  for (const auto& [name, type] : kNumberTypes) {
    if (!all_types && type != at::kBFloat16) continue;
    if (device.is_cpu() && type == at::kHalf) continue;  // LibTorch has no fast products of that type there
    const double peak = matrix_product_rate(device, type, full ? 8192 : 512);
    fmt::print("{}: a matrix product runs at {:.3g} TFLOP/s\n", name, peak / 1e12);
    for (const TransformerJob& job : transformer_jobs(extent)) {
      const Forward forward = vision_transformer(job.alias, job.image_px, job.depth).open(device, type);
      RecordedForward recorded(forward, cuda::graph_recorder(device));
      const Forward repeated = [&](const at::Tensor& x) { return recorded(x); };
      const double resident = resident_rate(job, forward, device, type, full ? 8 : 1);
      const double with_copies = rate_with_copies(job, forward, device, type, full ? 16 : 2);
      const double one = latency(job, forward, device, type),
                   one_recorded = latency(job, repeated, device, type);
      const double operations = vision_transformer_operations(job.alias, job.image_px, job.depth);
      fmt::print(
          "  {} {:<8} {:>4} px  batch {:<3} resident {:>9.1f} images/s  with copies {:>9.1f} images/s  "
          "{:>5.1f} % of "
          "the matrix rate  one image {:>7.3f} ms  recorded {:>7.3f} ms\n",
          name, job.alias, job.image_px, job.batch, resident, with_copies, 100 * resident * operations / peak,
          one * 1e3, one_recorded * 1e3);
    }
  }
  for (const auto& [shape, name] : chosen_attention()) fmt::print("  attention of {}: {}\n", shape, name);
}

}  // namespace imatch::testing
