// SPDX-License-Identifier: Apache-2.0
// Pictures of all formats, and what their headers say of the photograph.
#include "fuzz/target.h"
#include "image/decode.h"
#include "image/metadata.h"

using namespace imatch;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::attempt([&] {
    const Image image = decode_image(fuzz::text(data, size), "input", {.max_megapixels = 0.5});
    if (image.rgb.size() != std::size_t{3} * image.width * image.height) std::abort();
  });
  const fuzz::File file(data, size);
  fuzz::attempt([&] { read_metadata(file.path()); });
  return 0;
}
