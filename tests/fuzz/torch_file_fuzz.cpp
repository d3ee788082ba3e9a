// SPDX-License-Identifier: Apache-2.0
// Files of torch.save, zip and legacy, and bare pickles.
#include "fuzz/target.h"
#include "io/pickle.h"
#include "io/torch_file.h"

using namespace imatch;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteRange bytes = fuzz::exact(data, size);
  const std::string name = "input";
  const auto no_storage = [&](const StorageReference&) -> at::Storage {
    throw Failure(code::kBadFormat, name);
  };
  fuzz::attempt([&] { fuzz::touch(state_dict_of(load_torch_bytes(bytes, name), name)); });
  fuzz::attempt([&] { unpickle(bytes.bytes, no_storage, name); });
  return 0;
}
