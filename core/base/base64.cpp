// SPDX-License-Identifier: Apache-2.0
#include "base/base64.h"

#include <openssl/evp.h>

#include <algorithm>

namespace imatch {

std::string base64(std::string_view bytes) {
  constexpr std::size_t kBlock = 3 << 28;  // OpenSSL counts in int
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (; !bytes.empty(); bytes.remove_prefix(std::min(kBlock, bytes.size()))) {
    const std::string_view block = bytes.substr(0, kBlock);
    const std::size_t end = text.size();
    text.resize(end + (block.size() + 2) / 3 * 4);
    // The zero that it writes at the end lies where std::string has its own.
    EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data() + end),
                    reinterpret_cast<const unsigned char*>(block.data()), static_cast<int>(block.size()));
  }
  return text;
}

std::optional<std::string> base64_decoded(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  const auto is_digit = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
  };
  if (!std::all_of(text.begin(), text.end() - static_cast<std::ptrdiff_t>(padding), is_digit))
    return std::nullopt;
  constexpr std::size_t kBlock = 1 << 28;  // OpenSSL counts in int
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  for (std::string_view rest = text; !rest.empty(); rest.remove_prefix(std::min(kBlock, rest.size()))) {
    const std::string_view block = rest.substr(0, kBlock);
    const std::size_t end = bytes.size();
    bytes.resize(end + block.size() / 4 * 3);
    EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data() + end),
                    reinterpret_cast<const unsigned char*>(block.data()), static_cast<int>(block.size()));
  }
  bytes.resize(bytes.size() - padding);
  return bytes;
}

}  // namespace imatch
