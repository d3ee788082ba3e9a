// SPDX-License-Identifier: Apache-2.0
#include "nn/int8_residual.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "base/error.h"
#include "nn/int8_tile.h"

namespace imatch {
namespace {

constexpr std::int64_t kPixelsOfTask = 192;
constexpr std::int64_t kLargestKernel = 5;
constexpr std::int64_t kBandBytes = std::int64_t{2} << 20;

/// Pixels of padding in front of an axis: TensorFlow's SAME has the odd one at the end.
std::int64_t padding_in_front(std::int64_t length, std::int64_t outputs, std::int64_t kernel,
                              std::int64_t stride) {
  return std::max<std::int64_t>(0, (outputs - 1) * stride + kernel - length) / 2;
}

/// What is behind a ReLU6 already.
void round_to_bytes(const float* x, std::int64_t n, std::uint8_t* y) {
  for (std::int64_t i = 0; i < n; ++i)
    y[i] = static_cast<std::uint8_t>(std::clamp(std::nearbyint(x[i] * (1 / kRelu6Step)), 0.0f, 255.0f));
}

#if defined(__x86_64__)
IMATCH_VNNI void round_to_bytes_vnni(const float* x, std::int64_t n, std::uint8_t* y) {
  const __m512 inverse = _mm512_set1_ps(1 / kRelu6Step);
  const std::int64_t whole = n / 64 * 64;
  for (std::int64_t i = 0; i < whole; i += 64)
    _mm512_storeu_si512(y + i, bytes_in_order(_mm512_mul_ps(_mm512_loadu_ps(x + i), inverse),
                                              _mm512_mul_ps(_mm512_loadu_ps(x + i + 16), inverse),
                                              _mm512_mul_ps(_mm512_loadu_ps(x + i + 32), inverse),
                                              _mm512_mul_ps(_mm512_loadu_ps(x + i + 48), inverse)));
  round_to_bytes(x + whole, n - whole, y + whole);
}
#endif

at::Tensor as_matrix(const at::Tensor& weight) {
  if (weight.dim() != 4 || weight.size(2) != 1 || weight.size(3) != 1)
    throw Error(
        fmt::format("Int8Residual: a weight with {} dimensions; expected [out, in, 1, 1]", weight.dim()));
  return weight.flatten(1);
}

void check_fits(const std::optional<ConvWeights>& expand, const ConvWeights& depthwise,
                const ConvWeights& project, int stride, bool skip) {
  const std::int64_t wide = depthwise.weight.size(0), in = expand ? expand->weight.size(1) : wide;
  if ((expand && expand->weight.size(0) != wide) || project.weight.size(1) != wide || wide % 4 != 0 ||
      (skip && (stride != 1 || in != project.weight.size(0))))
    throw Error(
        fmt::format("Int8Residual: {} -> {} channels by {}, stride {}{}; expected multiples of four that fit",
                    in, project.weight.size(0), wide, stride, skip ? ", added to the input" : ""));
}

}  // namespace

Int8Residual::Int8Residual(const std::optional<ConvWeights>& expand, const ConvWeights& depthwise,
                           const ConvWeights& project, int stride, bool skip)
    : skip_(skip) {
  check_fits(expand, depthwise, project, stride, skip);
  if (expand) expand_.emplace(as_matrix(expand->weight), expand->bias, Int8Pointwise::Role::kExpand);
  depthwise_ = Int8Depthwise(depthwise.weight, depthwise.bias, stride);
  project_ = Int8Pointwise(as_matrix(project.weight), project.bias, Int8Pointwise::Role::kProject);
}

at::Tensor Int8Residual::rounded_expand() const {
  return expand_ ? expand_->rounded_weight().unsqueeze(2).unsqueeze(3) : at::Tensor();
}
at::Tensor Int8Residual::rounded_project() const {
  return project_.rounded_weight().unsqueeze(2).unsqueeze(3);
}

/// y[pixels][wide]: bytes of the ReLU6 in front of the convolution of each channel.
void Int8Residual::expand_pixels(const float* x, std::int64_t pixels, std::uint8_t* y, bool fast) const {
  const std::int64_t wide = depthwise_.channels(), tasks = (pixels + kPixelsOfTask - 1) / kPixelsOfTask;
  at::parallel_for(0, tasks, 1, [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t first = begin * kPixelsOfTask, count = std::min(pixels, end * kPixelsOfTask) - first;
    if (expand_) return expand_->expand(x + first * expand_->in(), count, y + first * wide, fast);
#if defined(__x86_64__)
    if (fast) return round_to_bytes_vnni(x + first * wide, count * wide, y + first * wide);
#endif
    round_to_bytes(x + first * wide, count * wide, y + first * wide);
  });
}

at::Tensor Int8Residual::operator()(const at::Tensor& x, Path path) const {
  const std::int64_t wide = depthwise_.channels(), in = expand_ ? expand_->in() : wide, out = project_.out();
  if (x.dim() != 4 || !x.is_cpu() || x.scalar_type() != at::kFloat || x.size(1) != in)
    throw Error(
        fmt::format("Int8Residual: {} of {} dimensions on '{}'; expected float32 [N, {}, H, W] on the CPU",
                    c10::toString(x.scalar_type()), x.dim(), x.device().str(), in));
  const bool fast = path == Path::kFastest && Int8Weight::is_fast();
  const at::Tensor input = x.contiguous(at::MemoryFormat::ChannelsLast);
  const std::int64_t images = x.size(0), height = x.size(2), width = x.size(3), kernel = depthwise_.kernel(),
                     stride = depthwise_.stride();
  const std::int64_t rows = (height + stride - 1) / stride, cols = (width + stride - 1) / stride;
  const std::int64_t above = padding_in_front(height, rows, kernel, stride),
                     left = padding_in_front(width, cols, kernel, stride);
  at::Tensor result = at::empty({images, out, rows, cols}, input.options(), at::MemoryFormat::ChannelsLast);
  const float* const from = input.const_data_ptr<float>();
  float* const to = result.mutable_data_ptr<float>();
  // A band of rows after the other, so that what was expanded is still in a cache when it is read.
  const std::int64_t band = std::clamp<std::int64_t>(kBandBytes / (width * wide * stride), 1, rows);
  const std::int64_t most_seen = std::min(height, (band - 1) * stride + kernel);
  const at::Tensor bytes = at::empty({most_seen * width * wide}, at::kByte);
  auto* const expanded = bytes.mutable_data_ptr<std::uint8_t>();
  for (std::int64_t image = 0; image < images; ++image)
    for (std::int64_t top = 0; top < rows; top += band) {
      const std::int64_t count = std::min(band, rows - top),
                         first = std::max<std::int64_t>(0, top * stride - above);
      const std::int64_t last = std::min(height, (top + count - 1) * stride - above + kernel);
      expand_pixels(from + (image * height + first) * width * in, (last - first) * width, expanded, fast);
      at::parallel_for(0, count, 1, [&](std::int64_t begin, std::int64_t end) {
        Int8Depthwise::Memory memory;
        std::vector<std::uint8_t> filtered(static_cast<std::size_t>(cols * wide));
        std::array<const std::uint8_t*, kLargestKernel> seen{};
        for (std::int64_t r = top + begin; r < top + end; ++r) {
          for (std::int64_t k = 0; k < kernel; ++k) {
            const std::int64_t row = r * stride - above + k;
            seen[static_cast<std::size_t>(k)] =
                row >= 0 && row < height ? expanded + (row - first) * width * wide : nullptr;
          }
          depthwise_.row({seen.data(), static_cast<std::size_t>(kernel)}, width, left, cols, filtered.data(),
                         memory, fast);
          const std::int64_t at = (image * rows + r) * cols * out;
          project_.project(filtered.data(), cols, skip_ ? from + at : nullptr, to + at, fast);
        }
      });
    }
  return result;
}

}  // namespace imatch
