// SPDX-License-Identifier: Apache-2.0
// Archives of NumPy's arrays.
#include "fuzz/target.h"
#include "io/npz.h"

using namespace imatch;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::File file(data, size);
  fuzz::attempt([&] {
    for (const auto& [name, tensor] : read_npz(file.path())) fuzz::touch(tensor);
  });
  return 0;
}
