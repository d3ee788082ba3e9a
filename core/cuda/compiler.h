// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cuda/shared_library.h"

namespace imatch::cuda {

/// NVRTC, NVIDIA's compiler of CUDA C++ as a library. It comes with the CUDA wheel of LibTorch (and alone as
/// the wheel nvidia-cuda-nvrtc): neither building nor running takes a CUDA toolkit, and compiling no GPU.
class Compiler {
 public:
  /// nullptr, and in `problem` why, where there is no library: not in the loader's path, not among the wheels
  /// beside LibTorch's, nor in `folders`.
  static std::unique_ptr<const Compiler> find(const std::vector<std::string>& folders, std::string& problem);

  /// "13.0".
  const std::string& version() const { return version_; }
  /// Compute capabilities that it compiles for, times ten and rising: 80, 90, 100.
  const std::vector<int>& capabilities() const { return capabilities_; }
  /// What cuModuleLoadData takes: machine code of `capability` where the compiler knows it, else PTX of the
  /// newest before it, which the driver translates. `options`: such as "-DNAME=1". Throws Error with the
  /// compiler's log.
  std::string compile(const std::string& source, int capability,
                      const std::vector<std::string>& options) const;

 private:
  struct Functions;

  Compiler(SharedLibrary library, std::shared_ptr<const Functions> functions);

  SharedLibrary library_;
  std::shared_ptr<const Functions> functions_;
  std::string version_;
  std::vector<int> capabilities_;
};

}  // namespace imatch::cuda
