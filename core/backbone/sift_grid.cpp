// SPDX-License-Identifier: Apache-2.0
#include "backbone/sift_grid.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include "base/error.h"

namespace imatch {
namespace {

constexpr int kBins = 4;          // spatial bins an axis
constexpr int kOrientations = 8;  // one AVX register of floats: the innermost axis of every buffer below
constexpr int kDescriptor = kBins * kBins * kOrientations;
constexpr float kClamp = 0.2F;
constexpr double kCameraSigma = 0.5;

/// Pixels [begin, begin + weights.size()) of one axis and what each counts for one bin of one descriptor.
struct Window {
  int begin = 0;
  std::vector<float> weights;
};

/// The windows of `count` descriptors along an axis of `length` pixels, [descriptor][bin].
std::vector<Window> windows(int length, int count, const SiftGrid& grid) {
  const double bin = grid.bin_size_px;
  std::vector<Window> list;
  list.reserve(static_cast<std::size_t>(count) * kBins);
  for (int i = 0; i < count; ++i) {
    const double centre = (i + 0.5) * grid.step_px - 0.5;  // as a pixel index
    for (int b = 0; b < kBins; ++b) {
      const double offset = (b - 1.5) * bin;
      Window window;
      window.begin = std::clamp(static_cast<int>(std::floor(centre + offset - bin)) + 1, 0, length);
      const int end = std::clamp(static_cast<int>(std::ceil(centre + offset + bin)), window.begin, length);
      for (int x = window.begin; x < end; ++x) {
        const double u = x - centre;
        const double gaussian = std::exp(-u * u / (2 * (2 * bin) * (2 * bin)));
        window.weights.push_back(static_cast<float>((1 - std::abs(u - offset) / bin) * gaussian));
      }
      list.push_back(std::move(window));
    }
  }
  return list;
}

/// What a descriptor that lies wholly inside the image weighs in all.
double full_weight(const SiftGrid& grid) {
  const SiftGrid one{.step_px = 8 * grid.bin_size_px + grid.step_px % 2, .bin_size_px = grid.bin_size_px};
  double sum = 0;
  for (const Window& window : windows(one.step_px, 1, one))
    for (const float weight : window.weights) sum += weight;
  return sum * sum;
}

/// One side of a Gaussian that sums to one, cut at 4 sigma: [0] is the centre.
std::vector<float> half_gaussian(double sigma) {
  const int radius = static_cast<int>(4 * sigma + 0.5);
  std::vector<double> taps(static_cast<std::size_t>(radius) + 1);
  double sum = 0;
  for (int i = 0; i <= radius; ++i) {
    taps[static_cast<std::size_t>(i)] = std::exp(-0.5 * i * i / (sigma * sigma));
    sum += (i == 0 ? 1 : 2) * taps[static_cast<std::size_t>(i)];
  }
  std::vector<float> half;
  for (const double tap : taps) half.push_back(static_cast<float>(tap / sum));
  return half;
}

/// Separable, with repeated edge pixels.
std::vector<float> smoothed(const float* grey, int width, int height, double sigma) {
  const std::vector<float> taps = half_gaussian(sigma);
  const int radius = static_cast<int>(taps.size()) - 1;
  const auto w = static_cast<std::size_t>(width);
  std::vector<float> result(w * static_cast<std::size_t>(height));
  at::parallel_for(0, height, 16, [&](std::int64_t first, std::int64_t last) {
    std::vector<float> column(w + 2 * static_cast<std::size_t>(radius));
    for (int y = static_cast<int>(first); y < static_cast<int>(last); ++y) {
      float* middle = column.data() + radius;
      const float* centre = grey + static_cast<std::size_t>(y) * w;
      for (std::size_t x = 0; x < w; ++x) middle[x] = taps[0] * centre[x];
      for (int k = 1; k <= radius; ++k) {
        const float* above = grey + static_cast<std::size_t>(std::max(y - k, 0)) * w;
        const float* below = grey + static_cast<std::size_t>(std::min(y + k, height - 1)) * w;
        const float tap = taps[static_cast<std::size_t>(k)];
        for (std::size_t x = 0; x < w; ++x) middle[x] += tap * (above[x] + below[x]);
      }
      std::fill_n(column.data(), radius, middle[0]);
      std::fill_n(middle + w, radius, middle[w - 1]);
      float* out = result.data() + static_cast<std::size_t>(y) * w;
      for (std::size_t x = 0; x < w; ++x) out[x] = taps[0] * middle[x];
      for (int k = 1; k <= radius; ++k) {
        const float tap = taps[static_cast<std::size_t>(k)];
        for (std::size_t x = 0; x < w; ++x)
          out[x] += tap * (middle[x - static_cast<std::size_t>(k)] + middle[x + static_cast<std::size_t>(k)]);
      }
    }
  });
  return result;
}

/// Gradient magnitudes of row y spread over the orientations: [W][8].
void orientation_row(const float* image, int width, int height, int y, float* row) {
  const auto w = static_cast<std::size_t>(width);
  const float* here = image + static_cast<std::size_t>(y) * w;
  const int y0 = std::max(y - 1, 0);
  const int y1 = std::min(y + 1, height - 1);
  const float* above = image + static_cast<std::size_t>(y0) * w;
  const float* below = image + static_cast<std::size_t>(y1) * w;
  const float y_scale = y1 > y0 ? 1.0F / static_cast<float>(y1 - y0) : 0.0F;
  std::fill_n(row, w * kOrientations, 0.0F);
  for (int x = 0; x < width; ++x) {
    const int x0 = std::max(x - 1, 0);
    const int x1 = std::min(x + 1, width - 1);
    const float gx = x1 > x0 ? (here[x1] - here[x0]) / static_cast<float>(x1 - x0) : 0.0F;
    const float gy = (below[x] - above[x]) * y_scale;
    const float magnitude = std::sqrt(gx * gx + gy * gy);
    float turn = std::atan2(gy, gx) * (kOrientations / (2 * std::numbers::pi_v<float>));
    if (turn < 0) turn += kOrientations;
    const int low = static_cast<int>(turn);
    const float share = turn - static_cast<float>(low);
    float* bins = row + static_cast<std::size_t>(x) * kOrientations;
    bins[low % kOrientations] += magnitude * (1 - share);
    bins[(low + 1) % kOrientations] += magnitude * share;
  }
}

/// Steps 4 and 5 of the definition, in place on the 128 sums of one window.
void normalise(float* descriptor, double window_weight) {
  double l1 = 0;
  double squares = 0;
  for (int i = 0; i < kDescriptor; ++i) {
    l1 += descriptor[i];
    squares += double{descriptor[i]} * descriptor[i];
  }
  if (!(squares > 0)) {
    std::fill_n(descriptor, kDescriptor, 0.0F);
    return;
  }
  const double contrast = l1 / window_weight;
  const auto unit = static_cast<float>(1 / std::sqrt(squares));
  double clamped_l1 = 0;
  for (int i = 0; i < kDescriptor; ++i) {
    descriptor[i] = std::min(descriptor[i] * unit, kClamp);
    clamped_l1 += descriptor[i];
  }
  const auto scale = static_cast<float>(contrast / clamped_l1);
  for (int i = 0; i < kDescriptor; ++i) descriptor[i] = std::sqrt(descriptor[i] * scale);
}

}  // namespace

at::Tensor dense_rootsift(const at::Tensor& grey, const SiftGrid& grid) {
  if (grid.step_px < 1 || grid.bin_size_px < 1)
    throw Error(fmt::format("dense_rootsift: step {} and bin size {} px are not allowed; expected >= 1",
                            grid.step_px, grid.bin_size_px));
  if (grey.dim() != 2 || grey.scalar_type() != at::kFloat || !grey.is_cpu())
    throw Error("dense_rootsift: expected grey levels as a [H, W] float32 tensor on the CPU");
  const int height = static_cast<int>(grey.size(0));
  const int width = static_cast<int>(grey.size(1));
  const int rows = height / grid.step_px;
  const int cols = width / grid.step_px;
  if (rows < 1 || cols < 1)
    throw Error(fmt::format("dense_rootsift: an image of {} x {} px is smaller than one step of {} px", width,
                            height, grid.step_px));

  const double sigma_px = grid.bin_size_px / 3.0;
  const double blur = std::sqrt(std::max(sigma_px * sigma_px - kCameraSigma * kCameraSigma, 0.0));
  const at::Tensor plane = grey.contiguous();
  const std::vector<float> image =
      smoothed(plane.const_data_ptr<float>(), width, height, std::max(blur, 1e-6));

  // Along x first: [H][cols][bin x][8], each row from its own pixels, then along y over whole rows of that.
  const std::vector<Window> x_windows = windows(width, cols, grid);
  const std::size_t across = static_cast<std::size_t>(cols) * kBins * kOrientations;
  std::vector<float> pooled(static_cast<std::size_t>(height) * across);
  at::parallel_for(0, height, 8, [&](std::int64_t first, std::int64_t last) {
    std::vector<float> row(static_cast<std::size_t>(width) * kOrientations);
    for (int y = static_cast<int>(first); y < static_cast<int>(last); ++y) {
      orientation_row(image.data(), width, height, y, row.data());
      float* out = pooled.data() + static_cast<std::size_t>(y) * across;
      for (const Window& window : x_windows) {
        std::array<float, kOrientations> sum{};
        const float* bins = row.data() + static_cast<std::size_t>(window.begin) * kOrientations;
        for (const float weight : window.weights) {
          for (std::size_t o = 0; o < kOrientations; ++o) sum[o] += weight * bins[o];
          bins += kOrientations;
        }
        out = std::copy(sum.begin(), sum.end(), out);
      }
    }
  });

  const std::vector<Window> y_windows = windows(height, rows, grid);
  const double weight = full_weight(grid);
  at::Tensor tokens = at::empty({std::int64_t{rows} * cols, kDescriptor}, at::kFloat);
  float* const all = tokens.mutable_data_ptr<float>();
  at::parallel_for(0, rows, 1, [&](std::int64_t first, std::int64_t last) {
    std::vector<float> band(across);
    constexpr std::size_t kSlice = kBins * kOrientations;  // one bin row of one descriptor
    for (std::int64_t r = first; r < last; ++r) {
      float* const out = all + static_cast<std::size_t>(r * cols) * kDescriptor;
      for (std::size_t b = 0; b < kBins; ++b) {
        const Window& window = y_windows[static_cast<std::size_t>(r) * kBins + b];
        std::fill(band.begin(), band.end(), 0.0F);
        const float* line = pooled.data() + static_cast<std::size_t>(window.begin) * across;
        for (const float share : window.weights) {
          for (std::size_t i = 0; i < across; ++i) band[i] += share * line[i];
          line += across;
        }
        for (std::size_t c = 0; c < static_cast<std::size_t>(cols); ++c)
          std::copy_n(band.data() + c * kSlice, kSlice, out + c * kDescriptor + b * kSlice);
      }
      for (int c = 0; c < cols; ++c) normalise(out + static_cast<std::size_t>(c) * kDescriptor, weight);
    }
  });
  return tokens;
}

}  // namespace imatch
