// SPDX-License-Identifier: Apache-2.0
#include "base/sha256.h"

#include <openssl/evp.h>

#include <array>
#include <fstream>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/stop.h"

namespace imatch {

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~State() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  if (!state_->context || EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr) != 1)
    throw Error("SHA-256 is not available in this OpenSSL");
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

Sha256& Sha256::add(const void* bytes, std::size_t size) {
  if (EVP_DigestUpdate(state_->context, bytes, size) != 1) throw Error("SHA-256: update failed");
  return *this;
}

std::string Sha256::hex() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  if (EVP_DigestFinal_ex(state_->context, digest.data(), &size) != 1) throw Error("SHA-256: final failed");
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (unsigned i = 0; i < size; ++i) text += kDigits[digest[i] >> 4], text += kDigits[digest[i] & 15];
  return text;
}

std::string sha256_hex(std::string_view bytes) {
  return Sha256().add(bytes).hex();
}

std::string sha256_file(const std::string& path) {
  require_file(path);
  std::ifstream stream(path, std::ios::binary);
  Sha256 hash;
  std::vector<char> block(1 << 20);
  while (check_stop(),
         stream.read(block.data(), static_cast<std::streamsize>(block.size())) || stream.gcount() > 0)
    hash.add(block.data(), static_cast<std::size_t>(stream.gcount()));
  if (stream.bad()) throw Failure(code::kUnreadable, path + ": reading failed");
  return hash.hex();
}

std::string sha256_files(const std::string& folder, const std::vector<std::string>& names) {
  if (names.size() == 1) return sha256_file(folder + "/" + names[0]);
  Sha256 lines;
  for (const std::string& name : names)
    lines.add(sha256_file(folder + "/" + name)).add("  ").add(name).add("\n");
  return lines.hex();
}

}  // namespace imatch
