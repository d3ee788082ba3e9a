// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "backbone/backbone.h"

namespace imatch {

/// A kind for resnet18, resnet50 and wide_resnet50_2: torchvision's networks with ImageNet's normalisation.
std::vector<BackboneKind> resnet_kinds();

}  // namespace imatch
