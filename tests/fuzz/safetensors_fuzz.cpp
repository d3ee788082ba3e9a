// SPDX-License-Identifier: Apache-2.0
#include "io/safetensors.h"

#include "fuzz/target.h"

using namespace imatch;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteRange bytes = fuzz::exact(data, size);
  fuzz::attempt([&] { fuzz::touch(parse_safetensors(bytes, "input").tensors); });
  return 0;
}
