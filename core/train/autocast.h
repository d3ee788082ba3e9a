// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

namespace imatch {

/// While it lives, LibTorch computes products and convolutions of this thread in `dtype`, and what needs the
/// range in float32; kFloat changes nothing.
class Autocast {
 public:
  Autocast(c10::Device device, c10::ScalarType dtype);
  ~Autocast();
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  c10::DeviceType type_;
  bool on_, before_ = false;
  c10::ScalarType dtype_before_ = c10::ScalarType::Float;
};

}  // namespace imatch
