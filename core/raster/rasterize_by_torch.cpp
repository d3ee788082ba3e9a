// SPDX-License-Identifier: Apache-2.0
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cummax.h>
#include <ATen/ops/cumsum.h>
#include <ATen/ops/floor_divide.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/full.h>
#include <ATen/ops/nonzero.h>
#include <ATen/ops/repeat_interleave.h>
#include <ATen/ops/sort.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "base/stop.h"
#include "raster/rasterize.h"
#include "raster/triangle_plane.h"

namespace imatch {
namespace {

constexpr std::int64_t kCandidates = std::int64_t{1}
                                     << 21;  // pixels in boxes of triangles that are looked at together

/// A triangle, or some rows of it, with all that its pixels need: whole numbers and real ones.
struct Piece {
  std::array<std::int64_t, 16> whole;
  std::array<double, 12> real;
};
enum Whole { kByX = 0, kByY = 3, kAt0 = 6, kFirstX = 9, kWidth, kFirstY, kCount, kTurned, kSource };

Piece piece_of(const ScreenTriangle& t, const TrianglePlane& plane, std::int64_t first_y,
               std::int64_t last_y) {
  Piece piece{};
  for (std::size_t k = 0; k < 3; ++k) {
    const std::size_t next = (k + 1) % 3;
    const std::int64_t dx = std::int64_t{t.x[next]} - t.x[k], dy = std::int64_t{t.y[next]} - t.y[k];
    const bool holds = !(dy > 0 || (dy == 0 && dx < 0));  // see Edges in rasterize.cpp
    piece.whole[kByX + k] = -dy * kSubpixels;
    piece.whole[kByY + k] = dx * kSubpixels;
    piece.whole[kAt0 + k] = dx * (kSubpixels / 2 - std::int64_t{t.y[k]}) -
                            dy * (kSubpixels / 2 - std::int64_t{t.x[k]}) - (holds ? 0 : 1);
    piece.real[k] = plane.by_x[k], piece.real[3 + k] = plane.by_y[k], piece.real[6 + k] = plane.at_0[k],
    piece.real[9 + k] = plane.z[k];
  }
  piece.whole[kFirstX] = t.first_x, piece.whole[kWidth] = t.last_x - t.first_x + 1;
  piece.whole[kFirstY] = first_y, piece.whole[kCount] = piece.whole[kWidth] * (last_y - first_y + 1);
  piece.whole[kTurned] = t.turned, piece.whole[kSource] = t.source;
  return piece;
}

/// What was found of some pieces: pixel, triangle and facing as whole numbers, depth, and two weights.
struct Found {
  at::Tensor pixel, source, turned, depth, weights;
};

Found fragments_of(const std::vector<Piece>& pieces, const RasterOptions& options, const at::Device& device) {
  const auto n = static_cast<std::int64_t>(pieces.size());
  const auto blob = [&](const void* data, std::int64_t width, at::ScalarType type) {
    return at::from_blob(const_cast<void*>(data), {n, width},
                         {static_cast<std::int64_t>(sizeof(Piece)) / 8, 1}, type)
        .contiguous()
        .to(device);
  };
  const at::Tensor whole = blob(pieces[0].whole.data(), 16, at::kLong),
                   real = blob(pieces[0].real.data(), 12, at::kDouble);
  const at::Tensor counts = whole.select(1, kCount), ends = counts.cumsum(0);
  at::Tensor piece = at::repeat_interleave(at::arange(n, whole.options()), counts);
  const at::Tensor place =
      at::arange(piece.size(0), whole.options()) - (ends - counts).index_select(0, piece);
  const auto of_piece = [&](int column) { return whole.select(1, column).index_select(0, piece); };
  const at::Tensor width = of_piece(kWidth);
  at::Tensor row = at::floor_divide(place, width);
  at::Tensor x = of_piece(kFirstX) + (place - row * width), y = of_piece(kFirstY) + row;
  at::Tensor inside;
  for (int k = 0; k < 3; ++k) {
    const at::Tensor e = of_piece(kAt0 + k) + y * of_piece(kByY + k) + x * of_piece(kByX + k);
    inside = k == 0 ? e.ge(0) : inside.logical_and(e.ge(0));
  }
  at::Tensor kept = inside.nonzero().squeeze(1);
  piece = piece.index_select(0, kept), x = x.index_select(0, kept), y = y.index_select(0, kept);

  // As fill_row in rasterize.cpp, operator by operator, so that both round alike.
  const auto number = [&](int column) { return real.select(1, column).index_select(0, piece); };
  at::Tensor w[3], sum;
  for (int k = 0; k < 3; ++k) {
    w[k] = (number(6 + k) + y.to(at::kDouble) * number(3 + k)) + x.to(at::kDouble) * number(k);
    sum = k == 0 ? w[k] : sum + w[k];
  }
  const at::Tensor scale = at::where(sum.ne(0), sum.reciprocal(), at::zeros({}, sum.options()));
  for (at::Tensor& share : w) share = (share * scale).clamp(0.0, 1.0);
  const at::Tensor rest = w[0] + w[1] + w[2], again = rest.reciprocal();
  at::Tensor z;
  for (int k = 0; k < 3; ++k) {
    w[k] = at::where(rest.gt(0), w[k] * again, at::full({}, 1.0 / 3, sum.options()));
    z = k == 0 ? w[k] * number(9) : z + w[k] * number(9 + k);
  }
  kept = z.ge(options.near_z).logical_and(z.le(options.far_z)).nonzero().squeeze(1);
  const auto pick = [&](const at::Tensor& t) { return t.index_select(0, kept); };
  piece = pick(piece);
  return {pick(y * options.width + x), of_piece(kSource), of_piece(kTurned), pick(z).to(at::kFloat),
          at::stack({pick(w[0]).to(at::kFloat), pick(w[1]).to(at::kFloat)}, 1)};
}

Found joined(const std::vector<Found>& parts) {
  const auto all = [&](at::Tensor Found::*member) {
    std::vector<at::Tensor> list;
    for (const Found& part : parts) list.push_back(part.*member);
    return at::cat(list);
  };
  return {all(&Found::pixel), all(&Found::source), all(&Found::turned), all(&Found::depth),
          all(&Found::weights)};
}

/// In the order of pixel, depth, facing and triangle, the first of equal ones.
void sort_and_merge(Found& found) {
  const auto apply = [&](const at::Tensor& order) {
    for (at::Tensor* t : {&found.pixel, &found.source, &found.turned, &found.depth, &found.weights})
      *t = t->index_select(0, order);
  };
  for (const at::Tensor* key : {&found.turned, &found.depth, &found.pixel})
    apply(std::get<1>(key->sort(/*stable=*/true, /*dim=*/0, /*descending=*/false)));
  const std::int64_t n = found.pixel.size(0);
  if (n < 2) return;
  const auto same = [&](const at::Tensor& t) { return t.narrow(0, 1, n - 1).eq(t.narrow(0, 0, n - 1)); };
  const at::Tensor repeats = same(found.pixel).logical_and(same(found.depth)).logical_and(same(found.turned));
  apply(at::cat({at::zeros({1}, repeats.options()), repeats}).logical_not().nonzero().squeeze(1));
}

}  // namespace

Fragments rasterize_by_torch(const std::vector<Vector3>& in_camera,
                             const std::vector<std::array<std::int32_t, 3>>& triangles,
                             const PinholeCamera& camera, const RasterOptions& options,
                             const std::string& device_name) {
  const at::NoGradGuard no_gradients;
  const at::Device device(device_name);
  const ScreenTriangles screen = screen_triangles(
      in_camera, triangles, camera, {options.width, options.height, options.near_z, options.far_z});
  const std::int64_t pixels = std::int64_t{options.height} * options.width, layers = options.layers;
  Fragments result;
  const at::TensorOptions real = at::TensorOptions(at::kFloat).device(device);
  result.triangle = at::full({pixels * layers}, -1, real.dtype(at::kInt));
  result.weights = at::zeros({pixels * layers, 3}, real);
  result.depth = at::zeros({pixels * layers}, real);
  result.not_finite = static_cast<std::int64_t>(screen.not_finite);

  std::vector<Found> parts;
  std::vector<Piece> pieces;
  std::int64_t candidates = 0;
  const auto flush = [&] {
    if (!pieces.empty()) parts.push_back(fragments_of(pieces, options, device));
    pieces.clear();
    candidates = 0;
    check_stop();
  };
  for (const ScreenTriangle& t : screen.list) {
    const auto& corners = triangles[static_cast<std::size_t>(t.source)];
    const TrianglePlane plane(in_camera[static_cast<std::size_t>(corners[0])],
                              in_camera[static_cast<std::size_t>(corners[1])],
                              in_camera[static_cast<std::size_t>(corners[2])], camera);
    const std::int64_t rows_at_once = std::max<std::int64_t>(1, kCandidates / (t.last_x - t.first_x + 1));
    for (std::int64_t y = t.first_y; y <= t.last_y; y += rows_at_once) {
      pieces.push_back(piece_of(t, plane, y, std::min<std::int64_t>(t.last_y, y + rows_at_once - 1)));
      candidates += pieces.back().whole[kCount];
      if (candidates >= kCandidates) flush();
    }
  }
  flush();
  if (!parts.empty()) {
    Found found = joined(parts);
    sort_and_merge(found);
    const std::int64_t n = found.pixel.size(0);
    const at::Tensor places = at::arange(n, found.pixel.options());
    if (n > 0) {
      const at::Tensor begins =
          at::cat({at::full({1}, true, found.pixel.options().dtype(at::kBool)),
                   found.pixel.narrow(0, 1, n - 1).ne(found.pixel.narrow(0, 0, n - 1))});
      const at::Tensor rank = places - std::get<0>((places * begins).cummax(0));
      const at::Tensor kept = rank.lt(layers).nonzero().squeeze(1);
      const auto pick = [&](const at::Tensor& t) { return t.index_select(0, kept); };
      const at::Tensor to = pick(found.pixel) * layers + pick(rank), two = pick(found.weights);
      const at::Tensor third = (1 - two.select(1, 0) - two.select(1, 1)).clamp_min(0);
      result.triangle.index_copy_(0, to, pick(found.source).to(at::kInt));
      result.depth.index_copy_(0, to, pick(found.depth));
      result.weights.index_copy_(0, to, at::cat({two, third.unsqueeze(1)}, 1));
    }
  }
  const std::int64_t height = options.height, width = options.width;
  result.triangle = result.triangle.view({height, width, layers});
  result.weights = result.weights.view({height, width, layers, 3});
  result.depth = result.depth.view({height, width, layers});
  return result;
}

}  // namespace imatch
