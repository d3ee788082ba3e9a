// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace imatch {

/// Streaming SHA-256; digests are 64 lower-case hexadecimal digits.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  Sha256& add(const void* bytes, std::size_t size);
  Sha256& add(std::string_view text) { return add(text.data(), text.size()); }
  /// Ends the stream; the object must not be used afterwards.
  std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256_hex(std::string_view bytes);
/// Throws Failure (not_found, not_a_file, unreadable).
std::string sha256_file(const std::string& path);
/// Of something that lies in several files of a folder: the SHA-256 of the lines "<digest>  <name>" that
/// `sha256sum` prints for them, in the given order; of a single file its own. Throws as sha256_file.
std::string sha256_files(const std::string& folder, const std::vector<std::string>& names);

}  // namespace imatch
