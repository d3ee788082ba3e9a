// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <string_view>
#include <vector>

#include "io/state_dict.h"

namespace imatch {

/// How the rows of a sample are laid out.
///   dualpm  indices (row, column, layer); values x y z in the canonical pose, x y z as posed, alpha
///   layers  indices (layer, row, column); values x y z in the canonical pose, its normal nx ny nz, mask
inline constexpr std::string_view kSampleLayouts[] = {"dualpm", "layers"};

/// A rasterised sample as its .npz holds it: what is there of an H×W×L×7 array.
struct SampleFile {
  std::vector<std::int64_t> shape;  ///< Of the dense array: {H, W, L, 7}; with layout "layers" {L, H, W, 7}.
  at::Tensor indices;  ///< N×3 uint8 where all sizes are below 255, else uint16; in row-major order.
  at::Tensor values;   ///< N×7 float32.
};

/// What of a dense array (4 axes, the last of 7) has another last channel than 0. Throws Error for another
/// shape.
SampleFile sparse_sample(const at::Tensor& dense);

/// The array: float32 on the CPU, of the sample's shape.
at::Tensor dense_sample(const SampleFile& sample);

/// Reads the .npz of a sample: indices of any integer type, values of any real one; `shape` may be missing
/// where `default_shape` is given. Throws Failure: not_found, not_a_file, unreadable; bad_format for missing
/// arrays, other shapes, an index outside of the shape, values that are not finite.
SampleFile read_sample(const std::string& path, const std::vector<std::int64_t>& default_shape = {});
/// The same of arrays that were read; `name` begins the error messages.
SampleFile sample_of(const StateDict& arrays, const std::string& name,
                     const std::vector<std::int64_t>& default_shape = {});

/// Writes values, indices and shape, uncompressed, whole or not at all. Throws Failure (unwritable,
/// no_space).
void write_sample(const std::string& path, const SampleFile& sample);

}  // namespace imatch
