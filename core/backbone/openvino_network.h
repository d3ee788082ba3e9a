// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "backbone/network_backbone.h"
#include "backbone/user_network.h"

namespace imatch {

/// The network in `options.weights`, an .onnx file, or an OpenVINO .xml with its .bin beside it, on the CPU
/// and in float32. Parts of it that lead to none of the named outputs are left out. The SHA-256 is the
/// file's; of a model in several files that of the lines that `sha256sum` prints for them. Throws Error for
/// names that the file has not (and lists those that it has) and for shapes that do not fit the options;
/// Failure as require_file, and bad_format for a file that OpenVINO cannot read.
OpenedNetwork open_openvino_network(const UserNetworkOptions& options);

}  // namespace imatch
