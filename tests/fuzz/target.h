// SPDX-License-Identifier: Apache-2.0
//
// What the fuzz targets share. A target is one file that defines libFuzzer's entry, LLVMFuzzerTestOneInput.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/sum.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "io/mapped_file.h"
#include "io/state_dict.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace imatch::fuzz {

/// A buffer of exactly the size, so that a step past its end is seen.
inline ByteRange exact(const std::uint8_t* data, std::size_t size) {
  auto owner = std::make_shared<std::vector<std::byte>>(size);
  std::transform(data, data + size, owner->begin(), [](std::uint8_t b) { return std::byte{b}; });
  const std::span<std::byte> view(*owner);
  return {owner, view};
}

inline std::string text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// The bytes as a file, for readers that take a path.
class File {
 public:
  File(const std::uint8_t* data, std::size_t size) {
    static const std::string folder = std::filesystem::temp_directory_path() / "imatch-fuzz-XXXXXX";
    path_ = folder;
    const int fd = ::mkstemp(path_.data());
    if (fd < 0 || ::write(fd, data, size) != static_cast<ssize_t>(size)) std::abort();
    ::close(fd);
  }
  ~File() { ::unlink(path_.c_str()); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// Reads every element: one outside of its buffer would be seen.
inline void touch(const at::Tensor& tensor) {
  if (tensor.numel() < 1'000'000) tensor.sum(at::kDouble);
}
inline void touch(const StateDict& state) {
  for (const auto& [name, tensor] : state) touch(tensor);
}

/// Every refusal is a Failure; anything else ends the fuzzer.
template <class Read>
void attempt(const Read& read) {
  try {
    read();
  } catch (const Failure&) {
  }
}

}  // namespace imatch::fuzz
