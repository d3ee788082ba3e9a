// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace imatch {

/// Names of the files beside an ONNX model in which it keeps tensors (TensorProto.external_data), sorted,
/// each once. Source of the field numbers: onnx.proto of ONNX 1.x. Throws Failure: as map_file, and
/// bad_format for a file that is cut off, is no ONNX model or names a file outside of its folder.
std::vector<std::string> external_files_of_onnx(const std::string& path);

}  // namespace imatch
