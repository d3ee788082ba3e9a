// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

namespace imatch {

/// Writes one HDF5 file. It grows under a temporary name; finish() puts it in its place, an unfinished one is
/// removed. Not for several threads at once, as HDF5 itself.
class Hdf5Writer {
 public:
  /// Makes missing parent folders. Throws Failure (unwritable).
  explicit Hdf5Writer(const std::string& path);
  ~Hdf5Writer();
  Hdf5Writer(const Hdf5Writer&) = delete;
  Hdf5Writer& operator=(const Hdf5Writer&) = delete;

  /// "group/group/name": groups that are missing are made. float16/32/64, int16/32/64 or uint8, any shape;
  /// copied to the CPU and made row-major as needed. Throws Failure (unwritable; bad_format for a name that
  /// is taken), Error for another dtype.
  void write(const std::string& name, const at::Tensor& tensor);
  /// Throws Failure (unwritable).
  void finish();

 private:
  [[noreturn]] void fail(const std::string& what) const;

  std::string path_, temporary_;
  std::int64_t file_ = -1;
};

}  // namespace imatch
