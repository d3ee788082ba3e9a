// SPDX-License-Identifier: Apache-2.0
#include "io/mapped_file.h"
#include "io/safetensors.h"
#include "io/state_dict.h"
#include "io/torch_file.h"

namespace imatch {

StateDict load_state_dict(const std::string& path) {
  const ByteRange file = map_file(path);
  // A safetensors file begins with the size of its header (8 bytes), which is a JSON object.
  const bool safetensors = file.size() > 8 && file.bytes[8] == std::byte{'{'};
  return safetensors ? parse_safetensors(file, path).tensors
                     : state_dict_of(load_torch_bytes(file, path), path);
}

}  // namespace imatch
