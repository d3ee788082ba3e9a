// SPDX-License-Identifier: Apache-2.0
//
// libFuzzer's entry: each input goes through every reader of untrusted bytes. Most refuse it by its first
// bytes.
#include <ATen/ops/sum.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/error.h"
#include "io/csv.h"
#include "io/json_file.h"
#include "io/npy.h"
#include "io/pickle.h"
#include "io/safetensors.h"
#include "io/torch_file.h"

namespace {

using namespace imatch;

/// A buffer of exactly the size, so that a step past its end is seen.
ByteRange exact(const std::uint8_t* data, std::size_t size) {
  auto owner = std::make_shared<std::vector<std::byte>>(size);
  std::transform(data, data + size, owner->begin(), [](std::uint8_t b) { return std::byte{b}; });
  const std::span<std::byte> view(*owner);
  return {owner, view};
}

void touch(const at::Tensor& tensor) {
  if (tensor.numel() < 1'000'000) tensor.sum(at::kDouble);
}

void touch(const StateDict& state) {
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

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteRange bytes = exact(data, size);
  const std::string name = "input", text(reinterpret_cast<const char*>(data), size);
  const auto no_storage = [&](const StorageReference&) -> at::Storage {
    throw Failure(code::kBadFormat, name);
  };
  attempt([&] { touch(state_dict_of(load_torch_bytes(bytes, name), name)); });
  attempt([&] { unpickle(bytes.bytes, no_storage, name); });
  attempt([&] { touch(parse_safetensors(bytes, name).tensors); });
  attempt([&] { touch(parse_npy(bytes, name)); });
  attempt([&] { parse_csv(text, name); });
  attempt([&] { parse_json(text, name); });
  return 0;
}
