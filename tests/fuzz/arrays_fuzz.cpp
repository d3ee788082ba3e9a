// SPDX-License-Identifier: Apache-2.0
// NumPy's arrays, and tables of text.
#include "fuzz/target.h"
#include "io/csv.h"
#include "io/npy.h"

using namespace imatch;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteRange bytes = fuzz::exact(data, size);
  fuzz::attempt([&] { fuzz::touch(parse_npy(bytes, "input")); });
  fuzz::attempt([&] { parse_csv(fuzz::text(data, size), "input"); });
  return 0;
}
