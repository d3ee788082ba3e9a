// SPDX-License-Identifier: Apache-2.0
#include "image/resample_weights.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/error.h"

namespace imatch {
namespace {

struct Filter {
  double support;
  double (*value)(double);
};

double triangle(double x) {
  return std::max(0.0, 1.0 - std::abs(x));
}

double keys(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
  return 0.0;
}

double box(double x) {
  return x > -0.5 && x <= 0.5 ? 1.0 : 0.0;
}

Filter filter_named(std::string_view name) {
  if (name == "bilinear") return {1.0, triangle};
  if (name == "bicubic") return {2.0, keys};
  if (name == "area") return {0.5, box};
  throw Error("filter: '" + std::string(name) + "' is not allowed; expected 'bilinear', 'bicubic' or 'area'");
}

}  // namespace

ResampleWeights resample_weights(int in, int out, std::string_view filter_name) {
  const Filter filter = filter_named(filter_name);
  const double scale = static_cast<double>(in) / out;
  const double widening = std::max(scale, 1.0);
  const double support = filter.support * widening;
  ResampleWeights weights;
  weights.in = in;
  weights.out = out;
  weights.stride = static_cast<int>(std::ceil(support)) * 2 + 1;
  weights.first.resize(static_cast<std::size_t>(out));
  weights.count.resize(static_cast<std::size_t>(out));
  weights.weight.resize(static_cast<std::size_t>(out) * static_cast<std::size_t>(weights.stride));
  std::vector<double> exact(static_cast<std::size_t>(weights.stride));
  for (int i = 0; i < out; ++i) {
    const double centre = (i + 0.5) * scale;
    const int first = std::max(0, static_cast<int>(centre - support + 0.5));
    const int count = std::min(in, static_cast<int>(centre + support + 0.5)) - first;
    double sum = 0;
    for (int k = 0; k < count; ++k) {
      exact[static_cast<std::size_t>(k)] = filter.value((k + first - centre + 0.5) * (1.0 / widening));
      sum += exact[static_cast<std::size_t>(k)];
    }
    std::int32_t* fixed =
        weights.weight.data() + static_cast<std::size_t>(i) * static_cast<std::size_t>(weights.stride);
    for (int k = 0; k < count; ++k) {
      double weight = exact[static_cast<std::size_t>(k)];
      if (sum != 0) weight /= sum;
      weight *= 1 << ResampleWeights::kWeightBits;
      fixed[k] = static_cast<std::int32_t>(weight < 0 ? weight - 0.5 : weight + 0.5);
    }
    weights.first[static_cast<std::size_t>(i)] = first;
    weights.count[static_cast<std::size_t>(i)] = count;
  }
  return weights;
}

}  // namespace imatch
