// SPDX-License-Identifier: Apache-2.0
#include "nn/recorded_forward.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty_like.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "base/error.h"

namespace imatch {
namespace {

/// Each keeps the memory of all activations of its shape.
constexpr std::size_t kMostShapes = 8;
/// Calls that go as usual before a shape is recorded: one that does not come again is not worth it.
constexpr int kCallsBefore = 2;

/// What went wrong last in any of them.
struct LatestProblem {
  std::mutex mutex;
  std::string text;
};
LatestProblem& latest() {
  static LatestProblem problem;
  return problem;
}

}  // namespace

RecordedForward::RecordedForward(Function function, cuda::Recorder recorder)
    : function_(std::move(function)), recorder_(std::move(recorder)), recordings_(kMostShapes) {}

std::vector<at::Tensor> RecordedForward::operator()(const at::Tensor& x) {
  if (!recorder_ || at::GradMode::is_enabled() || x.dim() == 0 || x.size(0) > kMostImages)
    return function_(x);
  const std::string shape =
      fmt::format("{} {} {}", x.device().str(), c10::toString(x.scalar_type()), fmt::join(x.sizes(), "x"));
  // The recorded memory is one for all callers: nobody may fill the input while another's results are not
  // copied. On the device itself the stream keeps the order.
  const std::lock_guard lock(mutex_);
  if (!problem_.empty()) return function_(x);
  const std::shared_ptr<Recording>* known = recordings_.find(shape);
  const std::shared_ptr<Recording> recording = known ? *known : std::make_shared<Recording>();
  if (!known) recordings_.insert(shape, recording);
  if (!recording->work) {
    if (recording->seen++ < kCallsBefore) return function_(x);
    try {
      recording->input = x.clone();
      recording->work = recorder_([&] { return function_(recording->input); });
    } catch (const Interrupted&) {
      throw;
    } catch (const std::exception& error) {
      problem_ = error.what();
      const std::lock_guard latest_lock(latest().mutex);
      latest().text = problem_;
      return function_(x);
    }
  }
  recording->input.copy_(x);
  recording->work->replay();
  ++replays_;
  std::vector<at::Tensor> results;
  for (const at::Tensor& output : recording->work->outputs()) results.push_back(output.clone());
  return results;
}

long long RecordedForward::replays() const {
  const std::lock_guard lock(mutex_);
  return replays_;
}

std::string RecordedForward::problem() const {
  const std::lock_guard lock(mutex_);
  return problem_;
}

std::string RecordedForward::latest_problem() {
  const std::lock_guard lock(latest().mutex);
  return latest().text;
}

}  // namespace imatch
