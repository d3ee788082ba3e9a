// SPDX-License-Identifier: Apache-2.0
#include "image/resample_weights.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

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

template <class Real>
WeightTable<Real> weight_table(int in, int out, std::string_view filter_name, AxisPart part) {
  const Filter filter = filter_named(filter_name);
  const Real scale = static_cast<Real>(part.end - part.begin) / static_cast<Real>(out);
  const Real widening = std::max(scale, Real{1});
  const Real support = static_cast<Real>(filter.support) * widening;
  WeightTable<Real> weights;
  weights.in = in;
  weights.out = out;
  weights.stride = static_cast<int>(std::ceil(support)) * 2 + 1;
  weights.first.resize(static_cast<std::size_t>(out));
  weights.count.resize(static_cast<std::size_t>(out));
  weights.weight.resize(static_cast<std::size_t>(out) * static_cast<std::size_t>(weights.stride));
  for (int i = 0; i < out; ++i) {
    const Real centre = static_cast<Real>(part.begin + scale * (i + 0.5));
    const int first = std::max(0, static_cast<int>(centre - support + 0.5));
    const int count = std::min(in, static_cast<int>(centre + support + 0.5)) - first;
    Real* const row =
        weights.weight.data() + static_cast<std::size_t>(i) * static_cast<std::size_t>(weights.stride);
    Real sum = 0;
    for (int k = 0; k < count; ++k) {
      row[k] = static_cast<Real>(filter.value((k + first - centre + 0.5) * (Real{1} / widening)));
      sum += row[k];
    }
    for (int k = 0; k < count && sum != 0; ++k) row[k] /= sum;
    weights.first[static_cast<std::size_t>(i)] = first;
    weights.count[static_cast<std::size_t>(i)] = count;
  }
  return weights;
}

template WeightTable<float> weight_table(int, int, std::string_view, AxisPart);
template WeightTable<double> weight_table(int, int, std::string_view, AxisPart);

ResampleWeights resample_weights(int in, int out, std::string_view filter, AxisPart part) {
  WeightTable<double> exact = weight_table<double>(in, out, filter, part);
  ResampleWeights weights;
  weights.in = in;
  weights.out = out;
  weights.stride = exact.stride;
  weights.first = std::move(exact.first);
  weights.count = std::move(exact.count);
  weights.weight.reserve(exact.weight.size());
  for (const double weight : exact.weight) {
    const double scaled = weight * (1 << ResampleWeights::kWeightBits);
    weights.weight.push_back(static_cast<std::int32_t>(scaled < 0 ? scaled - 0.5 : scaled + 0.5));
  }
  return weights;
}

}  // namespace imatch
