// SPDX-License-Identifier: Apache-2.0
// The records of cells; what is read is written and read again.
#include "fuzz/target.h"
#include "sweep/cell.h"

using namespace imatch;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::attempt([&] { parse_cell(to_text(parse_cell(fuzz::text(data, size), "input")), "written"); });
  return 0;
}
