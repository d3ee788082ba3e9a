// SPDX-License-Identifier: Apache-2.0
#include "nn/recorded_forward.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>

#include <stdexcept>
#include "catch.h"

namespace imatch {
namespace {

/// As CUDA graphs behave: a replay reads the memory that was read when it was recorded, and writes the one
/// that was written.
class RecordedOnCpu final : public cuda::RecordedWork {
 public:
  explicit RecordedOnCpu(std::function<std::vector<at::Tensor>()> work) : work_(std::move(work)) {
    outputs_ = work_();
  }
  void replay() override {
    const std::vector<at::Tensor> fresh = work_();
    for (std::size_t i = 0; i < fresh.size(); ++i) outputs_[i].copy_(fresh[i]);
  }

 private:
  std::function<std::vector<at::Tensor>()> work_;
};

cuda::Recorder recorder_on_cpu(int* recordings) {
  return [recordings](const std::function<std::vector<at::Tensor>()>& work) {
    ++*recordings;
    return std::make_unique<RecordedOnCpu>(work);
  };
}

std::vector<at::Tensor> twice_and_largest(const at::Tensor& x) {
  return {x * 2, x.amax(1)};  // exact, wherever its memory lies
}

void require_right(RecordedForward& forward, const at::Tensor& x) {
  const std::vector<at::Tensor> got = forward(x), exact = twice_and_largest(x);
  REQUIRE(got.size() == 2);
  REQUIRE(at::equal(got[0], exact[0]));
  REQUIRE(at::equal(got[1], exact[1]));
}

}  // namespace

TEST_CASE("a forward pass is recorded once its shape has come three times, and right every time") {
  const at::NoGradGuard no_gradients;
  int recordings = 0;
  RecordedForward forward(twice_and_largest, recorder_on_cpu(&recordings));
  for (int i = 0; i < 5; ++i) require_right(forward, at::randn({2, 8}));
  CHECK(recordings == 1);
  CHECK(forward.replays() == 3);
  for (int i = 0; i < 4; ++i) require_right(forward, at::randn({1, 5}));
  for (int i = 0; i < 4; ++i) require_right(forward, at::randn({1, 5}, at::kDouble));
  require_right(forward, at::randn({8, 2}).t());
  CHECK(recordings == 3);
}

TEST_CASE("results of a recorded forward pass do not change with the next call") {
  const at::NoGradGuard no_gradients;
  int recordings = 0;
  RecordedForward forward(twice_and_largest, recorder_on_cpu(&recordings));
  std::vector<at::Tensor> kept;
  for (int i = 0; i < 6; ++i) kept.push_back(forward(at::full({1, 2}, i, at::kFloat))[0]);
  for (int i = 0; i < 6; ++i) CHECK(kept[static_cast<std::size_t>(i)][0][0].item<float>() == 2 * i);
}

TEST_CASE(
    "large batches, gradients, other devices and what cannot be recorded go through the function itself") {
  int recordings = 0;
  RecordedForward forward(twice_and_largest, recorder_on_cpu(&recordings));
  for (int i = 0; i < 5; ++i) require_right(forward, at::randn({1, 3}));  // gradients are on
  const at::NoGradGuard no_gradients;
  for (int i = 0; i < 5; ++i) require_right(forward, at::randn({RecordedForward::kMostImages + 1, 3}));
  CHECK(recordings == 0);

  RecordedForward without(twice_and_largest, cuda::graph_recorder(c10::kCPU));
  for (int i = 0; i < 5; ++i) require_right(without, at::randn({1, 3}));
  CHECK(without.replays() == 0);

  int attempts = 0;
  RecordedForward refused(twice_and_largest, [&](const auto&) -> std::unique_ptr<cuda::RecordedWork> {
    ++attempts;
    throw std::runtime_error("waits for the device");
  });
  for (int i = 0; i < 6; ++i) require_right(refused, at::randn({1, 3}));
  CHECK(attempts == 1);
  CHECK(refused.problem() == "waits for the device");
  CHECK(RecordedForward::latest_problem() == "waits for the device");
}

TEST_CASE("only so many shapes stay recorded") {
  const at::NoGradGuard no_gradients;
  int recordings = 0;
  RecordedForward forward(twice_and_largest, recorder_on_cpu(&recordings));
  for (int round = 0; round < 3; ++round)
    for (std::int64_t width = 1; width <= 12; ++width)
      for (int i = 0; i < 3; ++i) require_right(forward, at::randn({1, width}));
  CHECK(recordings == 36);  // each was gone when it came again
}

}  // namespace imatch
