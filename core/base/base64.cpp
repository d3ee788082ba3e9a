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

}  // namespace imatch
