// SPDX-License-Identifier: Apache-2.0
#include "train/autocast.h"

#include <ATen/autocast_mode.h>

namespace imatch {

Autocast::Autocast(c10::Device device, c10::ScalarType dtype)
    : type_(device.type()), on_(dtype != c10::ScalarType::Float) {
  if (!on_) return;
  before_ = at::autocast::is_autocast_enabled(type_);
  dtype_before_ = at::autocast::get_autocast_dtype(type_);
  at::autocast::set_autocast_enabled(type_, true);
  at::autocast::set_autocast_dtype(type_, dtype);
  at::autocast::increment_nesting();
}

Autocast::~Autocast() {
  if (!on_) return;
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(type_, before_);
  at::autocast::set_autocast_dtype(type_, dtype_before_);
}

}  // namespace imatch
