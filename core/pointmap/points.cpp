// SPDX-License-Identifier: Apache-2.0
#include "pointmap/points.h"

#include <ATen/TensorIndexing.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/full.h>
#include <ATen/ops/nonzero.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/sigmoid.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "base/error.h"
#include "geometry/matrix4.h"

namespace imatch {
namespace {

/// Of maps [L, C, H, W] whose channels begin with canonical and posed points.
PointMapPoints points_where(const at::Tensor& kept, const at::Tensor& maps, const at::Tensor& confidence) {
  const at::Tensor places = at::nonzero(kept);
  const at::Tensor layer = places.select(1, 0), row = places.select(1, 1), column = places.select(1, 2);
  const at::Tensor rows = maps.permute({0, 2, 3, 1}).index({layer, row, column});
  return {.canonical = rows.narrow(1, 0, 3).contiguous(),
          .posed = rows.narrow(1, 3, 3).contiguous(),
          .confidence = confidence.index({layer, row, column}).contiguous(),
          .layer = layer.contiguous(),
          .pixel = places.narrow(1, 1, 2).contiguous()};
}

using Pixel = std::array<std::int64_t, 3>;  // layer, row, column

/// Where the point of a pixel stands in the list.
class PointGrid {
 public:
  explicit PointGrid(const PointMapPoints& points)
      : rows_(points.pixel.select(1, 0).max().item<std::int64_t>() + 1),
        columns_(points.pixel.select(1, 1).max().item<std::int64_t>() + 1),
        layers_(points.layer.max().item<std::int64_t>() + 1),
        at_(at::full({layers_, rows_, columns_}, -1, at::kLong)) {
    const auto* layer = points.layer.const_data_ptr<std::int64_t>();
    const auto* pixel = points.pixel.const_data_ptr<std::int64_t>();
    for (std::int64_t i = 0; i < points.layer.numel(); ++i)
      at_.mutable_data_ptr<std::int64_t>()[place({layer[i], pixel[2 * i], pixel[2 * i + 1]})] = i;
  }
  /// -1: there is none.
  std::int64_t at(const Pixel& pixel) const {
    if (pixel[1] < 0 || pixel[1] >= rows_ || pixel[2] < 0 || pixel[2] >= columns_) return -1;
    return at_.const_data_ptr<std::int64_t>()[place(pixel)];
  }

 private:
  std::int64_t place(const Pixel& p) const { return (p[0] * rows_ + p[1]) * columns_ + p[2]; }
  std::int64_t rows_, columns_, layers_;
  at::Tensor at_;
};

Vector3 row_of(const at::Tensor& points, std::int64_t i) {
  const float* p = points.const_data_ptr<float>() + 3 * i;
  return {p[0], p[1], p[2]};
}

struct Tangent {
  Vector3 canonical, posed;
};

/// To the nearer one, as posed, of the neighbours before and after it along an axis of the picture (1: rows,
/// 2: columns), in the direction of growing numbers.
std::optional<Tangent> tangent(const PointMapPoints& points, const PointGrid& grid, Pixel pixel,
                               std::int64_t i, std::size_t axis) {
  std::optional<Tangent> best;
  double nearest = 0;
  for (const int step : {-1, 1}) {
    Pixel beside = pixel;
    beside[axis] += step;
    const std::int64_t other = grid.at(beside);
    if (other < 0) continue;
    const auto difference = [&](const at::Tensor& of) {
      const Vector3 from = row_of(of, i), to = row_of(of, other);
      return Vector3{step * (to.x - from.x), step * (to.y - from.y), step * (to.z - from.z)};
    };
    const Tangent found{difference(points.canonical), difference(points.posed)};
    const double length = std::hypot(found.posed.x, found.posed.y, found.posed.z);
    if (best && length >= nearest) continue;
    best = found;
    nearest = length;
  }
  return best;
}

void put_normal(float* to, Vector3 along_row, Vector3 along_column, double sign) {
  // Columns grow to the right and rows downwards, so that this product points to whom looks at it.
  const Vector3 n{along_column.y * along_row.z - along_column.z * along_row.y,
                  along_column.z * along_row.x - along_column.x * along_row.z,
                  along_column.x * along_row.y - along_column.y * along_row.x};
  const double length = std::hypot(n.x, n.y, n.z);
  const double factor = length > 0 ? sign / length : 0;
  to[0] = static_cast<float>(n.x * factor);
  to[1] = static_cast<float>(n.y * factor);
  to[2] = static_cast<float>(n.z * factor);
}

}  // namespace

at::Tensor tensor_named(const PointMapPoints& points, std::string_view name) {
  const std::pair<std::string_view, const at::Tensor&> parts[] = {
      {"canonical", points.canonical},
      {"posed", points.posed},
      {"confidence", points.confidence},
      {"layer", points.layer},
      {"pixel", points.pixel},
      {"canonical_normal", points.canonical_normal},
      {"posed_normal", points.posed_normal}};
  std::string names;
  for (const auto& [known, tensor] : parts) {
    if (known == name) {
      if (!tensor.defined()) throw Error(fmt::format("get: these points have no {}", name));
      return tensor;
    }
    names += fmt::format("{}'{}'", names.empty() ? "" : ", ", known);
  }
  throw Error(fmt::format("get: '{}' is not allowed; expected one of {}", name, names));
}

PointMapPoints points_of_prediction(const at::Tensor& prediction, const at::Tensor& mask, int layers,
                                    const PointMapPointOptions& options) {
  const at::Tensor maps = prediction.reshape({layers, -1, prediction.size(1), prediction.size(2)});
  const bool several = layers > 1, has_confidence = maps.size(1) > 6;
  const at::Tensor occupancy = several ? at::sigmoid(maps.select(1, 6)) * mask : mask.unsqueeze(0);
  const at::Tensor confidence =
      has_confidence ? at::exp(maps.select(1, several ? 7 : 6)) + 1 : at::ones_like(occupancy);
  at::Tensor kept = occupancy.gt(options.occupancy);
  if (has_confidence) kept = kept & confidence.ge(options.confidence);
  return points_where(kept, maps, confidence);
}

PointMapPoints points_of_target(const at::Tensor& target) {
  const at::Tensor maps = target.reshape({-1, 7, target.size(1), target.size(2)});
  const at::Tensor occupancy = maps.select(1, 6);
  return points_where(occupancy.gt(0.5), maps, at::ones_like(occupancy));
}

void add_normals(PointMapPoints& points) {
  if (!points.posed.defined() || !points.layer.defined() || !points.pixel.defined())
    throw Error("normals: the points do not say from which pixels they are");
  points.canonical_normal = at::empty({points.layer.numel(), 3}, at::kFloat);
  points.posed_normal = at::empty({points.layer.numel(), 3}, at::kFloat);
  if (points.layer.numel() == 0) return;
  const PointGrid grid(points);
  const auto* layer = points.layer.const_data_ptr<std::int64_t>();
  const auto* pixel = points.pixel.const_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < points.layer.numel(); ++i) {
    const Pixel at{layer[i], pixel[2 * i], pixel[2 * i + 1]};
    const auto down = tangent(points, grid, at, i, 1), right = tangent(points, grid, at, i, 2);
    float* const canonical = points.canonical_normal.mutable_data_ptr<float>() + 3 * i;
    float* const posed = points.posed_normal.mutable_data_ptr<float>() + 3 * i;
    if (!down || !right) {
      std::fill_n(canonical, 3, 0.0F);
      std::fill_n(posed, 3, 0.0F);
      continue;
    }
    const double sign = layer[i] % 2 == 0 ? 1 : -1;
    put_normal(canonical, right->canonical, down->canonical, sign);
    put_normal(posed, right->posed, down->posed, sign);
  }
}

}  // namespace imatch
