// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "io/mapped_file.h"
#include "io/state_dict.h"

namespace imatch {

/// The tensors of a .safetensors file in the order of its header, and its texts (`__metadata__`).
/// Format: https://github.com/huggingface/safetensors#format
struct SafeTensors {
  StateDict tensors;
  std::map<std::string, std::string> metadata;
};

/// Maps the file; tensors view it as load_torch_file's do. Throws Failure: not_found, not_a_file, unreadable;
/// bad_format for a file that is truncated, whose tensors overlap, lie outside of it or leave gaps, or whose
/// dtype is not one of F64 F32 F16 BF16 I64 I32 I16 I8 U8 BOOL.
SafeTensors read_safetensors(const std::string& path);

/// The same over bytes in memory; `name` begins the error messages.
SafeTensors parse_safetensors(const ByteRange& file, const std::string& name);

/// The bytes of such a file; tensors are copied to the CPU and made row-major as needed. The data of wide
/// dtypes comes first, so that every tensor is aligned. Throws Error for a dtype that the reader does not
/// know.
std::string safetensors_bytes(const SafeTensors& content);

/// Throws Failure (unwritable, no_space), and Error as safetensors_bytes.
void write_safetensors(const std::string& path, const SafeTensors& content);

}  // namespace imatch
