// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "io/state_dict.h"
#include "nn/convnext.h"
#include "nn/resnet.h"
#include "nn/vision_transformer.h"

namespace imatch::testing {

/// Random weights under the official names, such that activations stay of order one. The same in every run.
StateDict random_weights(const VisionTransformerShape& shape);
StateDict random_weights(const ConvNextShape& shape);
StateDict random_weights(const ResNetShape& shape);
StateDict random_efficientnet_lite0_weights();

}  // namespace imatch::testing
