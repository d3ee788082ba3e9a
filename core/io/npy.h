// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "io/mapped_file.h"
#include "io/state_dict.h"

namespace imatch {

/// An array that numpy.save wrote: versions 1 to 3, little-endian float16/32/64, int8/16/32/64, uint8 or
/// bool, any shape. The tensor is row-major, or a transposed view for an array in Fortran order. Throws
/// Failure: not_found, not_a_file, unreadable; bad_format for a truncated file, another dtype (named) or a
/// header that is not NumPy's. Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
at::Tensor read_npy(const std::string& path);

/// The same over bytes in memory; `name` begins the error messages.
at::Tensor parse_npy(const ByteRange& file, const std::string& name);

/// The bytes that numpy.save would write for a row-major array of the same shape and dtype. The tensor is
/// copied to the CPU and made row-major as needed. Throws Error for a dtype that NumPy does not have
/// (bfloat16).
std::string npy_bytes(const at::Tensor& tensor);

/// Throws Failure (unwritable, no_space), and Error as npy_bytes.
void write_npy(const std::string& path, const at::Tensor& tensor);

}  // namespace imatch
