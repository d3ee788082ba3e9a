// SPDX-License-Identifier: Apache-2.0
#include "gpu/parts.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <fmt/format.h>

#include <functional>
#include <vector>

#include "gpu/timing.h"
#include "nn/attention.h"
#include "nn/fused.h"

namespace imatch::testing {
namespace {

struct Shape {
  const char* alias;
  std::int64_t width, heads, depth, wide, tokens, batch;
  bool rotary;
};

/// One block's parts, and what they add up to.
class Parts {
 public:
  Parts(const Shape& shape, c10::Device device) : shape_(shape), device_(device) {}

  /// `work`: operations, or with `moved` bytes.
  void say(const char* name, double work, bool moved, const std::function<void()>& call, int times = 1) {
    const double time = seconds(device_, 5, call, device_.is_cpu() ? 1 : 10, 3);
    total_ += time * times;
    fmt::print("  {:<8} {:<16} {:>8.3f} ms a pass, {:>6.4g} {}\n", shape_.alias, name,
               1e3 * time * times * static_cast<double>(shape_.depth), work / time / 1e12,
               moved ? "TB/s" : "TFLOP/s");
  }
  void say_sum() const {
    const double pass = total_ * static_cast<double>(shape_.depth);
    fmt::print("  {:<8} {:<16} {:>8.3f} ms a pass, {:.0f} images/s\n", shape_.alias, "together", 1e3 * pass,
               static_cast<double>(shape_.batch) / pass);
  }

 private:
  Shape shape_;
  c10::Device device_;
  double total_ = 0;
};

void print_parts_of(const Shape& shape, c10::Device device) {
  const auto random = [&](at::IntArrayRef sizes) {
    return at::randn(sizes, at::TensorOptions(device)).mul(0.1).to(at::kBFloat16);
  };
  const std::int64_t width = shape.width, wide = shape.wide;
  at::Tensor x = random({shape.batch, shape.tokens, width});
  const at::Tensor update = random(x.sizes()), inner = random({shape.batch, shape.tokens, wide});
  const at::Tensor qkv = random({shape.batch, shape.tokens, 3 * width}), of_width = random({width});
  const std::vector<at::Tensor> thirds = qkv.chunk(3, 2);
  const auto heads = [&](const at::Tensor& all) {
    return all.unflatten(2, {shape.heads, width / shape.heads}).transpose(1, 2);
  };
  const at::Tensor angles = at::rand({shape.tokens, width / shape.heads / 2}, at::TensorOptions(device));
  const auto rows = static_cast<double>(shape.batch * shape.tokens);
  const auto tokens_bytes = 2 * rows * static_cast<double>(width);

  Parts parts(shape, device);
  const auto product = [&](const char* name, const at::Tensor& of, std::int64_t columns) {
    const at::Tensor weight = random({columns, of.size(2)}), bias = random({columns});
    parts.say(name, 2 * rows * static_cast<double>(weight.numel()), false,
              [&] { at::linear(of, weight, bias); });
  };
  product("qkv", x, 3 * width);
  if (shape.rotary)
    parts.say("rotated heads", 4 * tokens_bytes, true,
              [&] { fused::rotated_heads(thirds[0], thirds[1], shape.heads, angles, angles); });
  parts.say("attention", 4 * rows * static_cast<double>(shape.tokens * width), false,
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
  if (extent == Extent::kQuick) return print_parts_of({"vits14", 384, 6, 12, 1536, 65, 2, false}, device);
  for (const Shape& shape : {Shape{"vits14", 384, 6, 12, 1536, 577, 64, false},
                             {"vitb14", 768, 12, 12, 3072, 577, 64, false},
                             {"vitl14", 1024, 16, 24, 4096, 577, 32, false},
                             {"vits16", 384, 6, 12, 1536, 4101, 16, true},
                             {"vitb16", 768, 12, 12, 3072, 4101, 16, true},
                             {"vitl16", 1024, 16, 24, 4096, 4101, 8, true}})
    print_parts_of(shape, device);
}

}  // namespace imatch::testing
