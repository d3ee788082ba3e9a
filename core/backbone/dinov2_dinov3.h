// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "backbone/backbone.h"

namespace imatch {

/// A kind for every model of DINOv2 and DINOv3, under its alias: patch tokens without the class token and
/// registers, and the global vector that is asked for.
std::vector<BackboneKind> dino_kinds();

}  // namespace imatch
