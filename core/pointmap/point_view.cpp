// SPDX-License-Identifier: Apache-2.0
#include "pointmap/point_view.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/bincount.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "base/base64.h"
#include "base/error.h"
#include "image/draw.h"

namespace imatch {
namespace {

constexpr double kMargin = 0.08;  // of a half, on each side
// Distinguishable by people who see few colours too (Okabe and Ito, Color Universal Design, 2008).
constexpr Colour kLayerColours[] = {{0, 114, 178},  {230, 159, 0}, {0, 158, 115},  {204, 121, 167},
                                    {86, 180, 233}, {213, 94, 0},  {240, 228, 66}, {90, 90, 90}};
constexpr Colour kPlain[] = {{45, 108, 200}, {238, 125, 30}};

struct Range {
  double low = 0, high = 0;
  double share(double value) const {
    return high > low ? std::clamp((value - low) / (high - low), 0.0, 1.0) : 0;
  }
};

Range range_of(const at::Tensor& values) {
  return {values.min().item<double>(), values.max().item<double>()};
}

Colour shade(const double (&share)[3]) {
  const auto byte = [](double s) { return static_cast<std::uint8_t>(255 * std::clamp(s, 0.0, 1.0) + 0.5); };
  return {byte(share[0]), byte(share[1]), byte(share[2])};
}

/// The colour of each point; `normals` are those of the half.
std::vector<Colour> colours_of(const PointMapPoints& points, const at::Tensor& normals, bool is_posed,
                               const std::string& by) {
  const std::int64_t count = points.canonical.size(0);
  const auto require = [&](const at::Tensor& values) {
    if (!values.defined()) throw Error(fmt::format("picture: the points have no {}", by));
    return values.to(at::kFloat).contiguous();
  };
  std::vector<Colour> colours(static_cast<std::size_t>(count), kPlain[is_posed ? 1 : 0]);
  if (by == "plain" || count == 0) return colours;
  if (by == "layer") {
    const at::Tensor layer = require(points.layer);
    for (std::int64_t i = 0; i < count; ++i)
      colours[static_cast<std::size_t>(i)] =
          kLayerColours[static_cast<std::size_t>(layer.const_data_ptr<float>()[i]) %
                        std::size(kLayerColours)];
    return colours;
  }
  if (by == "canonical" || by == "normal") {
    const at::Tensor values = require(by == "normal" ? normals : points.canonical);
    Range ranges[3];
    for (std::int64_t k = 0; k < 3; ++k)
      ranges[k] = by == "normal" ? Range{-1, 1} : range_of(values.select(1, k));
    const float* v = values.const_data_ptr<float>();
    for (auto& colour : colours) {
      colour = shade({ranges[0].share(v[0]), ranges[1].share(v[1]), ranges[2].share(v[2])});
      v += 3;
    }
    return colours;
  }
  const at::Tensor values = by == "depth" ? require(points.posed).select(1, 2).contiguous()
                                          : require(points.confidence).sub(1).clamp_min(1e-6).log();
  const Range range = range_of(values);
  for (std::int64_t i = 0; i < count; ++i)
    colours[static_cast<std::size_t>(i)] =
        palette_colour("viridis", range.share(values.const_data_ptr<float>()[i]));
  return colours;
}

/// A part of the picture in which a cloud is drawn.
struct Half {
  int left = 0, width = 0, height = 0;
};

void draw_cloud(Image& image, const Half& half, const at::Tensor& positions,
                const std::vector<Colour>& colours, const std::vector<char>& drawn,
                const PointPictureOptions& options) {
  const std::int64_t count = positions.size(0);
  if (count == 0) return;
  const at::Tensor at = positions.to(at::kDouble).contiguous();
  const at::Tensor low = std::get<0>(at.min(0)), high = std::get<0>(at.max(0));
  const at::Tensor centre = (low + high) / 2;
  const double radius =
      std::max((at - centre).norm(c10::optional<at::Scalar>(2), {1}).max().item<double>(), 1e-9);
  const double scale = (0.5 - kMargin) * std::min(half.width, half.height) / radius;
  const double yaw = options.yaw_deg * std::numbers::pi / 180,
               pitch = options.pitch_deg * std::numbers::pi / 180;
  const int reach = std::max(1, static_cast<int>(std::lround(scale * radius / 90)));
  std::vector<double> nearest(static_cast<std::size_t>(half.width) * static_cast<std::size_t>(half.height),
                              -std::numeric_limits<double>::infinity());
  const double* p = at.const_data_ptr<double>();
  const double* c = centre.const_data_ptr<double>();
  for (std::int64_t i = 0; i < count; ++i, p += 3) {
    if (!drawn[static_cast<std::size_t>(i)]) continue;
    const double x = p[0] - c[0], y = p[1] - c[1], z = p[2] - c[2];
    const double x1 = std::cos(yaw) * x - std::sin(yaw) * z, z1 = std::sin(yaw) * x + std::cos(yaw) * z;
    const double y1 = std::cos(pitch) * y - std::sin(pitch) * z1,
                 z2 = std::sin(pitch) * y + std::cos(pitch) * z1;
    const int column = static_cast<int>(std::floor(0.5 * half.width + scale * x1)),
              row = static_cast<int>(std::floor(0.5 * half.height - scale * y1));
    for (int v = std::max(row - reach, 0); v <= std::min(row + reach, half.height - 1); ++v)
      for (int u = std::max(column - reach, 0); u <= std::min(column + reach, half.width - 1); ++u) {
        if ((u - column) * (u - column) + (v - row) * (v - row) > reach * reach) continue;
        double& depth = nearest[static_cast<std::size_t>(v) * static_cast<std::size_t>(half.width) +
                                static_cast<std::size_t>(u)];
        if (z2 <= depth) continue;
        depth = z2;
        const Colour& colour = colours[static_cast<std::size_t>(i)];
        std::uint8_t* const to = image.pixel(half.left + u, v);
        to[0] = colour.red;
        to[1] = colour.green;
        to[2] = colour.blue;
      }
  }
}

std::vector<char> drawn_points(const PointMapPoints& points, const PointPictureOptions& options) {
  std::vector<char> drawn(static_cast<std::size_t>(points.canonical.size(0)), 1);
  const at::Tensor confidence = points.confidence.defined() ? points.confidence.contiguous() : at::Tensor();
  const at::Tensor layer = points.layer.defined() ? points.layer.contiguous() : at::Tensor();
  if (options.layer > 0 && !layer.defined()) throw Error("picture: the points have no layer");
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    if (confidence.defined() && confidence.const_data_ptr<float>()[i] < options.confidence) drawn[i] = 0;
    if (options.layer > 0 && layer.const_data_ptr<std::int64_t>()[i] != options.layer - 1) drawn[i] = 0;
  }
  return drawn;
}

Json packed(const at::Tensor& tensor) {
  if (!tensor.defined()) return nullptr;
  const at::Tensor numbers = tensor.to(at::kCPU, at::kFloat).contiguous();
  return base64({static_cast<const char*>(numbers.const_data_ptr()), numbers.nbytes()});
}

}  // namespace

Image point_picture(const PointMapPoints& points, const PointPictureOptions& options) {
  const at::NoGradGuard no_gradients;
  Image image = filled_image(options.width, options.height, {255, 255, 255});
  const std::vector<char> drawn = drawn_points(points, options);
  const bool two = points.posed.defined();
  const int middle = two ? options.width / 2 : options.width;
  draw_cloud(image, {0, middle, options.height}, points.canonical,
             colours_of(points, points.canonical_normal, false, options.colour), drawn, options);
  if (!two) return image;
  draw_cloud(image, {middle, options.width - middle, options.height}, points.posed,
             colours_of(points, points.posed_normal, true, options.colour), drawn, options);
  for (int y = 0; y < options.height; ++y) std::fill_n(image.pixel(middle, y), 3, std::uint8_t{200});
  return image;
}

Json packed_points(const PointMapPoints& points) {
  const at::NoGradGuard no_gradients;
  Json layers = nullptr;
  if (points.layer.defined() && points.layer.numel() > 0) {
    layers = Json::array();
    const at::Tensor counts = at::bincount(points.layer);
    for (std::int64_t i = 0; i < counts.numel(); ++i)
      layers.push_back(counts.const_data_ptr<std::int64_t>()[i]);
  }
  return {{"count", points.canonical.size(0)},
          {"layers", layers},
          {"canonical", packed(points.canonical)},
          {"posed", packed(points.posed)},
          {"confidence", packed(points.confidence)},
          {"layer", packed(points.layer)},
          {"canonical_normal", packed(points.canonical_normal)},
          {"posed_normal", packed(points.posed_normal)}};
}

}  // namespace imatch
