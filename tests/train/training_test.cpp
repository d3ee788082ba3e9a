// SPDX-License-Identifier: Apache-2.0
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/dropout.h>
#include <ATen/ops/full.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <limits>
#include "catch.h"

#include "base/error.h"
#include "base/file.h"
#include "base/stop.h"
#include "io/csv.h"
#include "scratch.h"
#include "train/event_file.h"
#include "train/training.h"

namespace {

using namespace imatch;

/// A line through points, with dropout.
class Line : public Trainee {
 public:
  explicit Line(const TrainingCheckpoint* start = nullptr) {
    weight_ = start ? start->model.find("weight")->clone() : at::zeros({4, 1});
    weight_.set_requires_grad(true);
    parameters_ = {weight_};
    x_ = at::randn({23, 4}, at::make_generator<at::CPUGeneratorImpl>(3));
    y_ = x_.sum(1, true);
  }
  const std::vector<at::Tensor>& parameters() const override { return parameters_; }
  StateDict weights() const override {
    StateDict all;
    all.add("weight", weight_);
    return all;
  }
  Json config() const override { return {{"what", "a line"}}; }
  std::int64_t samples(Split split) const override { return split == Split::kTraining ? 23 : 0; }
  TrainingBatch load(Split, const std::vector<std::int64_t>& samples, std::uint64_t) const override {
    at::Tensor x = at::zeros({static_cast<std::int64_t>(samples.size()), 4}), y = at::zeros({x.size(0), 1});
    for (std::int64_t i = 0; i < x.size(0); ++i) {
      x.select(0, i).copy_(x_.select(0, samples[static_cast<std::size_t>(i)]));
      y.select(0, i).copy_(y_.select(0, samples[static_cast<std::size_t>(i)]));
    }
    return {x, y};
  }
  at::Tensor amounts(const TrainingBatch& batch) const override {
    return at::full({}, static_cast<double>(batch[0].size(0)));
  }
  std::vector<std::string> loss_names() const override { return {"half"}; }
  TrainingLosses losses(const TrainingBatch& batch, const at::Tensor& amounts, bool training) const override {
    const at::Tensor x = dropout_ > 0 ? at::dropout(batch[0], dropout_, training) : batch[0];
    at::Tensor loss = (at::matmul(x, weight_) - batch[1]).square().sum() / amounts;
    if (batch[0].size(0) > 0 && ++calls_ == spoil_) loss = loss * std::numeric_limits<double>::quiet_NaN();
    if (calls_ == stop_at_) request_stop();
    return {loss, {{"half", loss * 0.5}}};
  }

  double dropout_ = 0.2;
  int spoil_ = 0, stop_at_ = 0;

 private:
  at::Tensor weight_, x_, y_;
  std::vector<at::Tensor> parameters_;
  mutable int calls_ = 0;
};

TrainingOptions options_of(std::int64_t steps) {
  TrainingOptions options{.steps = steps, .batch = 5, .save_every = 4, .workers = 2, .device = "cpu"};
  options.optimiser.lr = 0.05;
  return options;
}

const auto kSilent = [](const std::string&) {};

/// Steps and losses as the file has them.
std::vector<std::pair<std::string, std::string>> losses_in(const std::string& folder) {
  const CsvTable table = read_csv(folder + "/losses.csv");
  std::vector<std::pair<std::string, std::string>> losses;
  for (const auto& row : table.rows) losses.emplace_back(row[0], row[*table.column("loss")]);
  return losses;
}

TEST_CASE(
    "training: a run that went on from a checkpoint has the losses of an undisturbed one to the last bit") {
  const testing::Scratch scratch;
  const auto whole = train(Line(), scratch / "whole", options_of(12), nullptr, kSilent);
  CHECK(whole.step == 12);
  CHECK(losses_in(scratch / "whole").size() == 12);
  const std::string folder = scratch / "parts";
  {
    Line line;
    line.stop_at_ = 6;
    CHECK_THROWS_AS(train(line, folder, options_of(12), nullptr, kSilent), Interrupted);
    clear_stop();
  }
  CHECK(newest_checkpoint(folder) == folder + "/weights_6.pth");
  // Killed, it would have left rows that no checkpoint has.
  std::filesystem::remove(folder + "/weights_6.pth");
  const TrainingCheckpoint start = read_checkpoint(newest_checkpoint(folder));
  CHECK(start.step == 4);
  CHECK(start.config.at("what") == "a line");
  train(Line(&start), folder, options_of(12), &start, kSilent);
  CHECK(losses_in(folder) == losses_in(scratch / "whole"));
}

TEST_CASE("training: parts of a step and a step at once learn the same") {
  const testing::Scratch scratch;
  Line line, again;
  line.dropout_ = again.dropout_ = 0;
  TrainingOptions options = options_of(8);
  const double at_once = train(line, scratch / "a", options, nullptr, kSilent).loss;
  options.accumulate = 3;
  options.workers = 0;
  CHECK(train(again, scratch / "b", options, nullptr, kSilent).loss == Approx(at_once).epsilon(1e-5));
}

TEST_CASE("training: what is not finite stops it, with the last checkpoint in place") {
  const testing::Scratch scratch;
  Line line;
  line.spoil_ = 7;
  CHECK_THROWS_WITH(
      train(line, scratch / "run", options_of(12), nullptr, kSilent),
      Catch::Contains("train: step 7 is not finite: loss nan") && Catch::Contains("weights_4.pth"));
  CHECK(read_checkpoint(newest_checkpoint(scratch / "run")).step == 4);
}

TEST_CASE("training: old checkpoints go, and a full disk leaves the last one") {
  const testing::Scratch scratch;
  const std::string folder = scratch / "run";
  TrainingOptions options = options_of(12);
  options.keep_last = 2;
  train(Line(), folder, options, nullptr, kSilent);
  CHECK_FALSE(std::filesystem::exists(folder + "/weights_4.pth"));
  CHECK(std::filesystem::exists(folder + "/weights_8.pth"));
  const std::string before = read_file(folder + "/weights_12.pth");
  const TrainingCheckpoint start = read_checkpoint(folder + "/weights_12.pth");
  const pid_t child = ::fork();
  if (child == 0) {
    // As a full disk does, RLIMIT_FSIZE makes every write beyond it fail.
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{2000, 2000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    try {
      write_checkpoint(folder + "/weights_12.pth", start);
    } catch (const Failure&) {
      ::_exit(3);
    }
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(WEXITSTATUS(status) == 3);
  CHECK(read_file(folder + "/weights_12.pth") == before);
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    CHECK(entry.path().extension() != ".tmp");
}

TEST_CASE("training: the rate falls by steps, and going on keeps it") {
  at::Tensor weight = at::zeros({2}).set_requires_grad(true);
  AdamOptions options{.lr = 0.5, .lr_step = 2, .lr_gamma = 0.1};
  Adam adam({weight}, options);
  for (int i = 0; i < 3; ++i) {
    weight.sum().backward();
    adam.step();
  }
  CHECK(adam.rate() == Approx(0.05));
  Adam again({weight}, options);
  again.load(adam.optimiser_state(), adam.schedule_state(), "state");
  CHECK(again.steps() == 3);
  CHECK(again.rate() == adam.rate());
  CHECK_THROWS_WITH(
      Adam({at::zeros({3})}, options).load(adam.optimiser_state(), adam.schedule_state(), "a.pth"),
      Catch::Contains("a.pth: the state of Adam does not fit: 'exp_avg' of parameter 0"));
}

TEST_CASE("training: the checksum of RFC 3720") {
  CHECK(crc32c("123456789") == 0xe3069283);
}

}  // namespace
