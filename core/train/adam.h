// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "base/field.h"
#include "io/plain_value.h"

namespace imatch {

struct AdamOptions {
  double lr = 6e-4;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0;
  double clip_grad_value = 1;
  int lr_step = 30000;
  double lr_gamma = 0.5;

  using Self = AdamOptions;
  static constexpr auto fields = std::tuple{
      field("lr", &Self::lr, at_least(0), "Learning rate of Adam at the start."),
      field("beta1", &Self::beta1, in_range(0, 1), "Decay of the mean gradient."),
      field("beta2", &Self::beta2, in_range(0, 1), "Decay of the mean squared gradient."),
      field("eps", &Self::eps, at_least(0), "Added to the root of the latter."),
      field("weight_decay", &Self::weight_decay, at_least(0), "Times the weight, added to its gradient."),
      field("clip_grad_value", &Self::clip_grad_value, at_least(0),
            "Every element of a gradient is clipped to this and its negative; 0: not."),
      field("lr_step", &Self::lr_step, at_least(1), "Steps after which the rate is multiplied by lr_gamma."),
      field("lr_gamma", &Self::lr_gamma, in_range(0, 1), "See lr_step.")};
};

/// Adam (Kingma and Ba 2015) with a stepwise falling rate, as torch.optim.Adam and StepLR compute it, and
/// with their state_dicts.
class Adam {
 public:
  Adam(std::vector<at::Tensor> parameters, AdamOptions options);

  /// One update by the parameters' gradients, which are clipped and then dropped; the schedule goes on.
  /// Parameters without a gradient stay.
  void step();
  /// Updates done.
  std::int64_t steps() const { return steps_; }
  /// The rate of the next update.
  double rate() const;

  PlainValue optimiser_state() const;  ///< As torch.optim.Adam.state_dict().
  PlainValue schedule_state() const;   ///< As StepLR.state_dict().
  /// Goes on from there, at the schedule's step; the options stay as they were given. Throws Failure
  /// (bad_weights), beginning with `title`, for a state of other parameters.
  void load(const PlainValue& optimiser, const PlainValue& schedule, const std::string& title);

 private:
  std::vector<at::Tensor> parameters_, means_, squares_, counts_;
  AdamOptions options_;
  std::int64_t steps_ = 0;
};

}  // namespace imatch
