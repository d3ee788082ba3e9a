// SPDX-License-Identifier: Apache-2.0
#include "train/training.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>

#include "base/device.h"
#include "base/error.h"
#include "base/progress.h"
#include "base/stop.h"
#include "base/stop_notice.h"
#include "train/autocast.h"
#include "train/prefetch.h"
#include "train/process_group.h"
#include "train/sample_order.h"
#include "train/training_log.h"

namespace imatch {
namespace {

using Clock = std::chrono::steady_clock;
constexpr double kTooLongS = 86400;  // beyond a day there is a warning
constexpr int kStepsOfAnEstimate = 3;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

at::Generator generator_of(c10::Device device) {
  return at::globalContext().defaultGenerator(device);
}

/// float16 has no room for small gradients: the loss is multiplied before they are computed, and less so
/// whenever that was too much.
class LossScale {
 public:
  explicit LossScale(bool on) : value_(on ? 65536 : 1), on_(on) {}
  double value() const { return value_; }
  /// Whether the step is to be taken.
  bool accept(bool finite) {
    if (!on_ || finite) {
      if (on_ && ++good_ % 2000 == 0) value_ *= 2;
      return true;
    }
    value_ /= 2;
    good_ = 0;
    return value_ < 1;  // then it was not the scale
  }

 private:
  double value_;
  bool on_;
  std::int64_t good_ = 0;
};

class Training {
 public:
  Training(const Trainee& trainee, const std::string& folder, const TrainingOptions& options,
           const TrainingCheckpoint* start, const std::function<void(const std::string&)>& warn)
      : trainee_(trainee),
        folder_(folder),
        options_(options),
        warn_(warn),
        device_(resolve_device(options.device)),
        adam_(trainee.parameters(), options.optimiser),
        order_(trainee.samples(Trainee::Split::kTraining), options.batch, options.seed),
        validation_order_(std::max<std::int64_t>(1, trainee.samples(Trainee::Split::kValidation)),
                          options.batch, options.seed),
        scale_(options.precision == "float16"),
        group_(options.distributed ? Rendezvous::of_environment() : Rendezvous(), device_,
               cuda::nccl(device_)) {
    at::manual_seed(static_cast<std::uint64_t>(options.seed + group_.rank()));
    // All steps have the same shapes: the fastest convolutions are looked for once.
    if (device_.is_cuda()) at::globalContext().setBenchmarkCuDNN(true);
    if (!start || !start->is_resumable()) return;
    adam_.load(start->optimiser, start->schedule, folder);
    if (group_.rank() > 0) return;  // the random states are the first one's
    if (start->cpu_random.defined()) generator_of(at::kCPU).set_state(start->cpu_random);
    if (start->gpu_random.defined() && device_.is_cuda()) generator_of(device_).set_state(start->gpu_random);
  }

  TrainingReport run() {
    const std::int64_t first = adam_.steps();
    if (first >= options_.steps)
      return {.step = first, .checkpoint = newest_checkpoint(folder_), .log = folder_ + "/losses.csv"};
    std::optional<TrainingLog> log;  // of the first process
    if (group_.rank() == 0) log.emplace(folder_, first, columns());
    Prefetch<std::vector<TrainingBatch>> batches(first, options_.steps, options_.workers,
                                                 [this](std::int64_t step) { return load(step); });
    std::optional<Progress> progress;
    if (log)
      progress.emplace(
          ProgressOptions{.name = "train", .unit = "steps", .total = options_.steps, .cached = first});
    const Clock::time_point started = Clock::now();
    TrainingReport report{.step = first, .log = folder_ + "/losses.csv"};
    while (report.step < options_.steps) {
      const Clock::time_point began = Clock::now();
      const auto parts = next_parts(batches);
      if (group_.any(!parts)) save_and_stop(log, report.step > first);
      TrainingLog::Numbers numbers = step(*parts);
      report.step = adam_.steps();
      report.loss = numbers.front().second;
      numbers.emplace_back("images_per_s", static_cast<double>(options_.batch) / seconds_since(began));
      if (!log) continue;
      tell(*log, report, numbers);
      show(*progress, report.step - first, numbers);
      if (report.step - first == kStepsOfAnEstimate) warn_if_long(seconds_since(started), report.step);
    }
    report.seconds = seconds_since(started);
    report.images_per_s =
        static_cast<double>((report.step - first) * options_.batch) / std::max(report.seconds, 1e-9);
    return report;
  }

 private:
  /// None when the run is to stop.
  static std::optional<std::vector<TrainingBatch>> next_parts(Prefetch<std::vector<TrainingBatch>>& batches) {
    if (stop_requested()) return std::nullopt;
    try {
      return batches.take();
    } catch (const Interrupted&) {  // what reads samples has seen the request first
      return std::nullopt;
    }
  }

  /// What a step leaves in the folder.
  void tell(TrainingLog& log, TrainingReport& report, TrainingLog::Numbers& numbers) const {
    if (trainee_.samples(Trainee::Split::kValidation) > 0 && report.step % options_.validate_every == 0)
      numbers.emplace_back("validation_loss", validate(report.step / options_.validate_every));
    log.add(report.step, numbers);
    if (options_.picture_every > 0 &&
        (report.step % options_.picture_every == 0 || report.step == options_.steps))
      if (const auto picture = trainee_.picture()) log.add(report.step, *picture);
    if (report.step % options_.save_every != 0 && report.step != options_.steps) return;
    log.flush();
    report.checkpoint = save();
  }

  std::vector<std::string> columns() const {
    std::vector<std::string> names{"loss"};
    for (const std::string& part : trainee_.loss_names()) names.push_back(part);
    names.insert(names.end(), {"lr", "gradient", "images_per_s"});
    if (trainee_.samples(Trainee::Split::kValidation) > 0) names.emplace_back("validation_loss");
    return names;
  }

  /// The parts of a step that are this process's; none where there are more processes than samples.
  std::vector<TrainingBatch> load(std::int64_t step) const {
    const std::vector<std::int64_t> all = order_.batch(step);
    const auto edge_of = [&](int rank) {
      return all.begin() + static_cast<std::ptrdiff_t>(all.size()) * rank / group_.size();
    };
    const std::vector<std::int64_t> samples(edge_of(group_.rank()), edge_of(group_.rank() + 1));
    const std::size_t parts =
        std::min<std::size_t>(static_cast<std::size_t>(options_.accumulate), samples.size());
    std::vector<TrainingBatch> loaded;
    for (std::size_t i = 0; i < parts; ++i) {
      const auto edge = [&](std::size_t part) {
        return samples.begin() + static_cast<std::ptrdiff_t>(samples.size() * part / parts);
      };
      const auto seed =
          static_cast<std::uint64_t>(options_.seed) * 1000003 + static_cast<std::uint64_t>(step);
      loaded.push_back(trainee_.load(Trainee::Split::kTraining, {edge(i), edge(i + 1)}, seed));
    }
    return loaded;
  }

  TrainingBatch placed(const TrainingBatch& batch) const {
    TrainingBatch there;
    for (const at::Tensor& tensor : batch) there.push_back(tensor.to(device_));
    return there;
  }

  TrainingLosses losses(const TrainingBatch& batch, const at::Tensor& amounts, bool training) const {
    const auto dtype = options_.precision == "bfloat16"  ? at::kBFloat16
                       : options_.precision == "float16" ? at::kHalf
                                                         : at::kFloat;
    const Autocast autocast(device_, dtype);
    return trainee_.losses(batch, amounts, training);
  }

  /// One update; the losses by name, the total first.
  TrainingLog::Numbers step(const std::vector<TrainingBatch>& parts) {
    std::vector<TrainingBatch> batches;
    at::Tensor amounts;
    for (const TrainingBatch& part : parts) {
      batches.push_back(placed(part));
      const at::Tensor more = trainee_.amounts(batches.back());
      amounts = amounts.defined() ? amounts + more : more;
    }
    if (group_.size() > 1) amounts = amounts_of_all(amounts);
    TrainingLog::Numbers numbers{{"loss", 0}};
    for (const std::string& name : trainee_.loss_names()) numbers.emplace_back(name, 0);
    for (const TrainingBatch& batch : batches) {
      const TrainingLosses part = losses(batch, amounts, true);
      (part.total * scale_.value()).backward();
      numbers.front().second += part.total.item<double>();
      for (const auto& [name, loss] : part.parts)
        std::ranges::find(numbers, name, &TrainingLog::Numbers::value_type::first)->second +=
            loss.item<double>();
    }
    if (group_.size() > 1) sum_over_processes(numbers);
    const double gradient = unscaled_gradient();
    require_finite(numbers, gradient);
    numbers.emplace_back("lr", adam_.rate());
    numbers.emplace_back("gradient", gradient);
    if (!scale_.accept(std::isfinite(gradient)))
      for (at::Tensor parameter : trainee_.parameters()) parameter.mutable_grad().reset();
    adam_.step();
    return numbers;
  }

  at::Tensor amounts_of_all(const at::Tensor& here) {
    const at::Tensor amounts =
        here.defined() ? here.clone() : at::zeros({trainee_.num_amounts()}, at::TensorOptions(device_));
    group_.sum({amounts});
    return amounts;
  }

  void sum_over_processes(TrainingLog::Numbers& numbers) {
    std::vector<at::Tensor> gradients;
    for (at::Tensor parameter : trainee_.parameters()) {
      if (!parameter.grad().defined()) parameter.mutable_grad() = at::zeros_like(parameter);
      gradients.push_back(parameter.grad());
    }
    group_.sum(gradients);
    const at::Tensor values = at::empty({static_cast<std::int64_t>(numbers.size())}, at::kDouble);
    double* const value = values.mutable_data_ptr<double>();
    for (std::size_t i = 0; i < numbers.size(); ++i) value[i] = numbers[i].second;
    group_.sum({values});
    for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i].second = value[i];
  }

  /// The length of the whole gradient, freed of the scale of the loss.
  double unscaled_gradient() const {
    const at::NoGradGuard no_gradients;
    std::vector<at::Tensor> gradients;
    for (const at::Tensor& parameter : trainee_.parameters())
      if (parameter.grad().defined()) gradients.push_back(parameter.grad());
    if (gradients.empty()) return 0;
    if (scale_.value() != 1) at::_foreach_mul_(gradients, 1 / scale_.value());
    return at::stack(at::_foreach_norm(gradients)).norm().item<double>();
  }

  void require_finite(const TrainingLog::Numbers& numbers, double gradient) const {
    std::string values;
    bool finite = options_.precision == "float16" || std::isfinite(gradient);
    for (const auto& [name, value] : numbers) {
      values += fmt::format("{} {}, ", name, value);
      finite = finite && std::isfinite(value);
    }
    if (finite) return;
    const std::string newest = newest_checkpoint(folder_);
    throw Failure(
        code::kNoResult,
        fmt::format("train: step {} is not finite: {}length of the gradient {}, rate {}; {}",
                    adam_.steps() + 1, values, gradient, adam_.rate(),
                    newest.empty() ? "there is no checkpoint yet" : "the last good one is " + newest));
  }

  double validate(std::int64_t number) const {
    const at::NoGradGuard no_gradients;
    const TrainingBatch batch = placed(trainee_.load(
        Trainee::Split::kValidation, validation_order_.batch(number), static_cast<std::uint64_t>(number)));
    return losses(batch, trainee_.amounts(batch), false).total.item<double>();
  }

  [[noreturn]] void save_and_stop(std::optional<TrainingLog>& log, bool has_learned) const {
    if (log) {
      log->flush();
      if (has_learned) save();
    }
    throw Interrupted();
  }

  std::string save() const {
    const std::string path = folder_ + "/" + checkpoint_name(adam_.steps());
    TrainingCheckpoint checkpoint{.step = adam_.steps(),
                                  .model = trainee_.weights(),
                                  .optimiser = adam_.optimiser_state(),
                                  .schedule = adam_.schedule_state(),
                                  .cpu_random = generator_of(at::kCPU).get_state(),
                                  .config = trainee_.config(),
                                  .extra = trainee_.extra()};
    if (device_.is_cuda()) checkpoint.gpu_random = generator_of(device_).get_state();
    write_checkpoint(path, checkpoint);
    remove_old_checkpoints(folder_, options_.keep_last);
    return path;
  }

  void show(Progress& progress, std::int64_t done, const TrainingLog::Numbers& numbers) const {
    ProgressState state{.done = static_cast<std::size_t>(done), .numbers = {}};
    for (const auto& [name, value] : numbers)
      if (name != "lr" && name != "gradient") state.numbers.emplace_back(name, value);
    try {
      progress.update(std::move(state));
    } catch (const Interrupted&) {
      // the loop sees the request too, and saves
    }
  }

  void warn_if_long(double seconds, std::int64_t step) const {
    const double left = seconds / kStepsOfAnEstimate * static_cast<double>(options_.steps - step);
    if (left > kTooLongS)
      warn_(fmt::format(
          "{} steps will take about {} on {}; a smaller network or fewer steps, or a GPU, take less",
          options_.steps, duration_text(left), device_.str()));
  }

  const Trainee& trainee_;
  std::string folder_;
  TrainingOptions options_;
  std::function<void(const std::string&)> warn_;
  c10::Device device_;
  Adam adam_;
  SampleOrder order_, validation_order_;
  LossScale scale_;
  ProcessGroup group_;
};

}  // namespace

TrainingReport train(const Trainee& trainee, const std::string& folder, const TrainingOptions& options,
                     const TrainingCheckpoint* start, const std::function<void(const std::string&)>& warn) {
  if (trainee.samples(Trainee::Split::kTraining) == 0)
    throw Failure(code::kNoResult, "train: there are no samples");
  Training training(trainee, folder, options, start, warn);
  const PatientStop patient;  // what was learnt is kept, however long a step takes
  return training.run();
}

}  // namespace imatch
