// SPDX-License-Identifier: Apache-2.0
#include "train/adam.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_fused_adam.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <fmt/format.h>

#include <cmath>

#include "base/error.h"

namespace imatch {
namespace {

[[noreturn]] void refuse_state(const std::string& title, const std::string& what) {
  throw Failure(code::kBadWeights, title + ": " + what);
}

const PlainValue* entry_of(const PlainDict& dict, std::int64_t key) {
  for (const auto& [name, value] : dict.items)
    if (const auto* number = std::get_if<std::int64_t>(&name); number && *number == key) return &value;
  return nullptr;
}

/// Newer versions of torch keep an integer as a tensor.
double number_of(const PlainValue& value) {
  if (const auto* tensor = std::get_if<at::Tensor>(&value)) return tensor->item<double>();
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return static_cast<double>(*whole);
  const auto* number = std::get_if<double>(&value);
  return number ? *number : 0;
}

}  // namespace

Adam::Adam(std::vector<at::Tensor> parameters, AdamOptions options)
    : parameters_(std::move(parameters)), options_(options) {
  for (const at::Tensor& parameter : parameters_) {
    means_.push_back(at::zeros_like(parameter).set_requires_grad(false));
    squares_.push_back(at::zeros_like(parameter).set_requires_grad(false));
    counts_.push_back(at::zeros({}, parameter.options().dtype(at::kFloat).requires_grad(false)));
  }
}

double Adam::rate() const {
  return options_.lr * std::pow(options_.lr_gamma, static_cast<double>(steps_ / options_.lr_step));
}

void Adam::step() {
  const at::NoGradGuard no_gradients;
  std::vector<at::Tensor> parameters, gradients, means, squares, counts;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    at::Tensor& gradient = parameters_[i].mutable_grad();
    if (!gradient.defined()) continue;
    if (options_.clip_grad_value > 0) gradient.clamp_(-options_.clip_grad_value, options_.clip_grad_value);
    counts_[i].add_(1);
    parameters.push_back(parameters_[i]);
    gradients.push_back(gradient);
    means.push_back(means_[i]);
    squares.push_back(squares_[i]);
    counts.push_back(counts_[i]);
    gradient.reset();
  }
  if (!parameters.empty())
    at::_fused_adam_(parameters, gradients, means, squares, {}, counts, rate(), options_.beta1,
                     options_.beta2, options_.weight_decay, options_.eps, false, false);
  ++steps_;
}

PlainValue Adam::optimiser_state() const {
  auto state = std::make_shared<PlainDict>();
  std::vector<PlainValue> numbers;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    numbers.emplace_back(static_cast<std::int64_t>(i));
    if (counts_[i].item<float>() == 0) continue;
    state->items.emplace_back(
        static_cast<std::int64_t>(i),
        plain_dict({{"step", counts_[i]}, {"exp_avg", means_[i]}, {"exp_avg_sq", squares_[i]}}));
  }
  const PlainValue group = plain_dict({{"lr", rate()},
                                       {"betas", plain_list({options_.beta1, options_.beta2})},
                                       {"eps", options_.eps},
                                       {"weight_decay", options_.weight_decay},
                                       {"amsgrad", false},
                                       {"maximize", false},
                                       {"foreach", PlainValue()},
                                       {"capturable", false},
                                       {"differentiable", false},
                                       {"fused", PlainValue()},
                                       {"initial_lr", options_.lr},
                                       {"params", plain_list(std::move(numbers))}});
  return plain_dict({{"state", state}, {"param_groups", plain_list({group})}});
}

PlainValue Adam::schedule_state() const {
  return plain_dict({{"step_size", std::int64_t{options_.lr_step}},
                     {"gamma", options_.lr_gamma},
                     {"base_lrs", plain_list({options_.lr})},
                     {"last_epoch", steps_},
                     {"_step_count", steps_ + 1},
                     {"_get_lr_called_within_step", false},
                     {"_last_lr", plain_list({rate()})}});
}

void Adam::load(const PlainValue& optimiser, const PlainValue& schedule, const std::string& title) {
  const PlainDict* top = dict_of(optimiser);
  const PlainValue* found = top ? top->find("state") : nullptr;
  const PlainDict* state = found ? dict_of(*found) : nullptr;
  if (!state) refuse_state(title, "no state of Adam: 'state' is missing");
  const at::NoGradGuard no_gradients;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const PlainValue* entry = entry_of(*state, static_cast<std::int64_t>(i));
    const PlainDict* values = entry ? dict_of(*entry) : nullptr;
    if (!values) continue;  // it has had no gradient yet
    for (const auto& [name, target] : {std::pair{"exp_avg", &means_[i]}, {"exp_avg_sq", &squares_[i]}}) {
      const PlainValue* value = values->find(name);
      const auto* tensor = value ? std::get_if<at::Tensor>(value) : nullptr;
      if (!tensor || tensor->sizes() != target->sizes())
        refuse_state(title, fmt::format("the state of Adam does not fit: '{}' of parameter {}", name, i));
      target->copy_(*tensor);
    }
    const PlainValue* count = values->find("step");
    if (!count) refuse_state(title, fmt::format("the state of Adam does not fit: 'step' of parameter {}", i));
    counts_[i].fill_(number_of(*count));
  }
  if (state->items.size() > parameters_.size())
    refuse_state(title, fmt::format("the state of Adam is that of {} parameters; the network has {}",
                                    state->items.size(), parameters_.size()));
  const PlainDict* plan = dict_of(schedule);
  const PlainValue* last = plan ? plan->find("last_epoch") : nullptr;
  if (!last) refuse_state(title, "no state of the schedule: 'last_epoch' is missing");
  steps_ = static_cast<std::int64_t>(number_of(*last));
}

}  // namespace imatch
