// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "io/mapped_file.h"

namespace imatch {

/// The element types that weights and arrays are read in: float32 float64 float16 bfloat16, int8 to int64,
/// uint8, bool.
bool is_supported(at::ScalarType type);
/// "float32", "int64", ...: the names of NumPy and PyTorch.
const char* dtype_name(at::ScalarType type);

/// The elements in `range`, which stays alive as long as they are used. Nothing is copied unless they are not
/// aligned. Throws Failure (bad_format; `name` begins the message) for a bool that is neither 0 nor 1.
c10::DataPtr data_over(const ByteRange& range, at::ScalarType type, const std::string& name);
at::Storage storage_over(const ByteRange& range, at::ScalarType type, const std::string& name);

/// A CPU tensor over part of a storage: element i of the tensor lies at `offset` + sum(index * stride), in
/// elements. Throws Failure (bad_format; `name` begins the message) for a negative size, stride or offset,
/// for an element outside of the storage, and for more than 2^30 bytes that overlap each other.
at::Tensor tensor_over(at::Storage storage, at::ScalarType type, std::int64_t offset, at::IntArrayRef sizes,
                       at::IntArrayRef strides, const std::string& name);

/// A row-major tensor that fills `range`. Throws Failure (bad_format) where the sizes do not fit the bytes,
/// and as tensor_over.
at::Tensor tensor_over(const ByteRange& range, at::ScalarType type, at::IntArrayRef sizes,
                       const std::string& name);

/// Strides of a row-major array.
std::vector<std::int64_t> row_major_strides(at::IntArrayRef sizes);

}  // namespace imatch
