// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "backbone/backbone.h"

namespace imatch {

/// "onnx" and "torchscript": networks that users bring with their graphs.
std::vector<BackboneKind> user_network_kinds();

}  // namespace imatch
