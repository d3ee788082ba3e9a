// SPDX-License-Identifier: Apache-2.0
// The check that stands before FAISS. That what it lets through harms nobody is what
// tests/faults/test_faiss_files.py shows.
#include "fuzz/target.h"
#include "index/faiss_check.h"

using namespace imatch;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteRange bytes = fuzz::exact(data, size);
  fuzz::attempt([&] { check_faiss_file(bytes.bytes, "input"); });
  return 0;
}
