// SPDX-License-Identifier: Apache-2.0
#include "gpu/parts.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <fmt/format.h>

#include <functional>
#include <vector>

#include "gpu/networks.h"
#include "gpu/timing.h"
#include "nn/attention.h"
#include "nn/fused.h"

namespace imatch::testing {
namespace {

/// One block's parts, and what they add up to.
class Parts {
 public:
  Parts(const TransformerJob& job, int depth, c10::Device device)
      : job_(job), depth_(depth), device_(device) {}

  /// `work`: operations, or with `moved` bytes.
  void say(const char* name, double work, bool moved, const std::function<void()>& call, int times = 1) {
    const double time = seconds(device_, 5, call, device_.is_cpu() ? 1 : 10, 3);
    total_ += time * times;
    fmt::print("  {:<8} {:<16} {:>8.3f} ms a pass, {:>6.4g} {}\n", job_.alias, name,
               1e3 * time * times * depth_, work / time / 1e12, moved ? "TB/s" : "TFLOP/s");
  }
  void say_sum() const {
    const double pass = total_ * depth_;
    fmt::print("  {:<8} {:<16} {:>8.3f} ms a pass, {:.0f} images/s\n", job_.alias, "together", 1e3 * pass,
               static_cast<double>(job_.batch) / pass);
  }

 private:
  TransformerJob job_;
  int depth_;
  c10::Device device_;
  double total_ = 0;
};

void print_parts_of(const TransformerJob& job, c10::Device device) {
  const VisionTransformerShape shape = vision_transformer_shape(job.alias, job.depth);
  const std::int64_t side = job.image_px / shape.patch_px, tokens = side * side + 1 + shape.registers;
  const auto random = [&](at::IntArrayRef sizes) {
    return at::randn(sizes, at::TensorOptions(device)).mul(0.1).to(at::kBFloat16);
  };
  const std::int64_t width = shape.width, wide = shape.feed_forward_width;
  at::Tensor x = random({job.batch, tokens, width});
  const at::Tensor update = random(x.sizes()), inner = random({job.batch, tokens, wide});
  const at::Tensor qkv = random({job.batch, tokens, 3 * width}), of_width = random({width});
  const std::vector<at::Tensor> thirds = qkv.chunk(3, 2);
  const auto heads = [&](const at::Tensor& all) {
    return all.unflatten(2, {shape.heads, width / shape.heads}).transpose(1, 2);
  };
  const at::Tensor angles = at::rand({tokens, width / shape.heads / 2}, at::TensorOptions(device));
  const auto rows = static_cast<double>(job.batch * tokens);
  const auto tokens_bytes = 2 * rows * static_cast<double>(width);

  Parts parts(job, shape.depth, device);
  const auto product = [&](const char* name, const at::Tensor& of, std::int64_t columns) {
    const at::Tensor weight = random({columns, of.size(2)}), bias = random({columns});
    parts.say(name, 2 * rows * static_cast<double>(weight.numel()), false,
              [&] { at::linear(of, weight, bias); });
  };
  product("qkv", x, 3 * width);
  if (shape.positions == PositionScheme::kRotary)
    parts.say("rotated heads", 4 * tokens_bytes, true,
              [&] { fused::rotated_heads(thirds[0], thirds[1], shape.heads, angles, angles); });
  parts.say("attention", 4 * rows * static_cast<double>(tokens * width), false,
            [&] { attention(heads(thirds[0]), heads(thirds[1]), heads(thirds[2])); });
  product("projection", x, width);
  parts.say(
      "residual + norm", 4 * tokens_bytes, true,
      [&] { fused::residual_norm(x, update, of_width, of_width, of_width, 1e-6); }, 2);
  const at::Tensor weight = random({wide, width}), bias = random({wide});
  parts.say("widen + gelu", 2 * rows * static_cast<double>(weight.numel()), false,
            [&] { fused::linear_gelu(x, weight, bias); });
  product("narrow", inner, width);
  parts.say_sum();
}

}  // namespace

void print_parts(c10::Device device, Extent extent) {
  const at::NoGradGuard no_gradients;
  for (const TransformerJob& job : transformer_jobs(extent)) print_parts_of(job, device);
}

}  // namespace imatch::testing
