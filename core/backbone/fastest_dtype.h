// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <c10/core/Device.h>

#include <functional>
#include <string>
#include <vector>

#include "base/options.h"

namespace imatch {

/// The number types that `dtype=fastest` chooses among on a device: float32, and those that it multiplies: on
/// the CPU bfloat16 with AVX512_BF16 (and AMX, which comes with it) and float16 with AVX512_FP16, on a GPU
/// both. Never one that rounds to 8 bits: whoever wants that asks for it.
std::vector<std::string> fastest_candidates(c10::Device device);

/// Which of fastest_candidates() makes a network fastest on this machine. `options` are those it is opened
/// with; `measure` gives the seconds of a forward pass in a type. A type other than float32 must save a
/// tenth, for it costs exactness. What was found is kept beside the features (`dtypes` in the folder of the
/// feature cache), by the processor with its instructions, the number of threads, LibTorch, the network and
/// what of its options shapes the computation; it is measured once, and told on standard error then.
std::string fastest_dtype(const std::string& network, const Json& options, c10::Device device,
                          const std::function<double(const std::string& dtype)>& measure);

}  // namespace imatch
