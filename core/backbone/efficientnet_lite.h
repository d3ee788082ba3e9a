// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "backbone/backbone.h"

namespace imatch {

/// EfficientNet-Lite0, -Lite1 and -Lite2 with their ImageNet weights, which come with the program: the linear
/// bottleneck at the end of a stage as tokens. Preprocessing is that of the training, (level - 127) / 128 on
/// RGB.
///
/// The padding of these networks is uneven (one pixel more at the end of an axis at every stride), which
/// moves the centre of a token's receptive field by nearly half a cell, 7.5 px at stage 16. Their training
/// has undone that: over half turns of photographs tokens of lite0 agree best when placed at the centre of
/// their cell (within 1 px at stage 8 and 2.5 px at stage 16, on four photographs), and there
/// original_from_grid puts them.
std::vector<BackboneKind> efficientnet_lite_kinds();

}  // namespace imatch
