// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace imatch::cuda {

/// A library that may or may not be on the machine, loaded when it is asked for and kept to the end: CUDA's
/// driver and compiler, so that the program is built and starts without them.
class SharedLibrary {
 public:
  /// The first of these names or paths that loads.
  static std::optional<SharedLibrary> first_of(const std::vector<std::string>& names);

  /// The folder that it was loaded from.
  std::string folder() const;
  /// False when the library has no such function.
  template <class Function>
  bool find(const char* name, Function*& function) const {
    function = reinterpret_cast<Function*>(symbol(name));
    return function != nullptr;
  }

 private:
  explicit SharedLibrary(void* handle) : handle_(handle) {}
  void* symbol(const char* name) const;

  void* handle_;
};

/// What dlopen is to try for a library of CUDA's wheels: the files of that name, whatever their version, in
/// `folders`, then its name as it stands, then the files in nvidia/*/lib of the folder into which the torch
/// wheel was unpacked (pip puts all of them side by side). "libnvrtc.so" finds libnvrtc.so.13.
std::vector<std::string> places_of(const std::string& name, const std::vector<std::string>& folders = {});

}  // namespace imatch::cuda
