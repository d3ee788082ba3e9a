// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "anomaly/method.h"

namespace imatch {

/// From a score for each patch, [N, 1, h, w], to one for each pixel of the network's input, [N, 1, height,
/// width] float32: enlarged and blurred as the method says. Throws Error where the picture is smaller than
/// the blur reaches.
at::Tensor anomaly_maps(const at::Tensor& patches, std::int64_t height, std::int64_t width,
                        const PatchCoreMethod& method);

/// Weights of a normalised Gaussian, 2 * int(4 sigma + 0.5) + 1 of them.
std::vector<double> gaussian_taps(double sigma);

}  // namespace imatch
