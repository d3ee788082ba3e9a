// SPDX-License-Identifier: Apache-2.0
// Data keys, and manifests against a key.
#include "fuzz/target.h"
#include "retrieval/manifest.h"

using namespace imatch;

namespace {

const DataKey& fixed_key() {
  static const DataKey key = [] {
    const std::string text =
        R"({"datasets": {"jamshill_flight": {"root": "r", "folder_template": "{capture_id}",
            "filename_template": "{capture_id}_{frame:04d}.jpg", "images": {"1": {"label": "2"}, "3": 300}},
            "nested": {"root": "n", "folder_template": "{capture_id}/{label}", "filename_template": "{label}_{frame}.jpg",
            "images": {"a": "b"}}},
            "weights": {"dinov3_weights": {"x": {"vits16": ["dinov3_vits16", "w-08c60483.pth", "LVD"]}}}})";
    const fuzz::File file(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
    return read_data_key(file.path());
  }();
  return key;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::File file(data, size);
  fuzz::attempt([&] { read_manifest(file.path(), fixed_key(), "/nowhere"); });
  fuzz::attempt([&] { read_data_key(file.path()); });
  return 0;
}
