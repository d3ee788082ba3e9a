// SPDX-License-Identifier: Apache-2.0
#include "index/farthest_first.h"

#include <ATen/Parallel.h>
#include <ATen/ops/max.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/square.h>

#include <algorithm>
#include <utility>

#include "index/four_distances.h"

namespace imatch {
namespace {

constexpr std::int64_t kRowsOfTask = 2048;  // fixed, so that no result depends on the number of threads
constexpr std::int64_t kRowsOfDeviceBlock = 1 << 16;
/// Squares are rounded: what is nearer to equality than this is measured.
constexpr float kTriangleSlack = 1 - 1e-5F;

/// Squared distances of one vector to many rows, wherever these lie.
void square_distances_to(const float* vector, const std::vector<const float*>& rows, std::int64_t dim,
                         float* out) {
  const std::size_t whole = rows.size() / 4 * 4;
  for (std::size_t i = 0; i < whole; i += 4)
    four_distances(Metric::kL2, vector, rows.data() + i, dim, out + i);
  if (whole == rows.size()) return;
  const float* last[4];
  float distances[4];
  for (std::size_t i = 0; i < 4; ++i) last[i] = rows[std::min(whole + i, rows.size() - 1)];
  four_distances(Metric::kL2, vector, last, dim, distances);
  std::copy_n(distances, rows.size() - whole, out + whole);
}

}  // namespace

FarthestFirst::FarthestFirst(at::Tensor rows, const at::Tensor& squares)
    : rows_(std::move(rows)), squares_(squares.to(at::kFloat).clone()) {
  if (rows_.is_cpu()) owner_.assign(static_cast<std::size_t>(rows_.size(0)), -1);
  const auto [square, row] = at::max(squares_, 0);
  farthest_ = {row.item<std::int64_t>(), square.item<float>()};
}

void FarthestFirst::pick(std::int64_t row) {
  if (rows_.is_cpu()) return pick_on_cpu(row);
  for (std::int64_t first = 0; first < rows_.size(0); first += kRowsOfDeviceBlock) {
    const std::int64_t some = std::min(kRowsOfDeviceBlock, rows_.size(0) - first);
    at::Tensor nearest = squares_.narrow(0, first, some);
    at::minimum_out(nearest, nearest, rows_.narrow(0, first, some).sub(rows_[row]).square_().sum(1));
  }
  const auto [square, farthest] = at::max(squares_, 0);
  farthest_ = {farthest.item<std::int64_t>(), square.item<float>()};
}

void FarthestFirst::pick_on_cpu(std::int64_t row) {
  const std::int64_t n = rows_.size(0), dim = rows_.size(1);
  const float* const data = rows_.const_data_ptr<float>();
  const float* const centre = data + row * dim;
  float* const squares = squares_.mutable_data_ptr<float>();
  std::vector<float> to_pick(picks_.size());
  square_distances_to(centre, picks_, dim, to_pick.data());
  for (float& square : to_pick) square *= kTriangleSlack / 4;
  const auto number = static_cast<std::int32_t>(picks_.size());

  const std::int64_t tasks = (n + kRowsOfTask - 1) / kRowsOfTask;
  std::vector<Farthest> of_task(static_cast<std::size_t>(tasks));
  const auto run_task = [&](std::int64_t task) {
    const std::int64_t end = std::min(n, (task + 1) * kRowsOfTask);
    std::int64_t waiting[4];
    const float* rows[4];
    float distances[4];
    int num_waiting = 0;
    const auto measure = [&] {
      for (int i = num_waiting; i < 4; ++i) rows[i] = rows[0];
      four_distances(Metric::kL2, centre, rows, dim, distances);
      for (int i = 0; i < num_waiting; ++i)
        if (distances[i] < squares[waiting[i]]) {
          squares[waiting[i]] = distances[i];
          owner_[static_cast<std::size_t>(waiting[i])] = number;
        }
      num_waiting = 0;
    };
    for (std::int64_t i = task * kRowsOfTask; i < end; ++i) {
      const std::int32_t owner = owner_[static_cast<std::size_t>(i)];
      if (owner >= 0 && to_pick[static_cast<std::size_t>(owner)] >= squares[i]) continue;
      waiting[num_waiting] = i;
      rows[num_waiting++] = data + i * dim;
      if (num_waiting == 4) measure();
    }
    if (num_waiting > 0) measure();
    Farthest best{task * kRowsOfTask, -1};
    for (std::int64_t i = best.row; i < end; ++i)
      if (squares[i] > best.square) best = {i, squares[i]};
    of_task[static_cast<std::size_t>(task)] = best;
  };
  at::parallel_for(0, tasks, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t task = begin; task < end; ++task) run_task(task);
  });
  farthest_ = of_task.front();
  for (const Farthest& best : of_task)
    if (best.square > farthest_.square) farthest_ = best;
  picks_.push_back(centre);
}

}  // namespace imatch
