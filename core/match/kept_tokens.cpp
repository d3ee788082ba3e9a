// SPDX-License-Identifier: Apache-2.0
#include "match/kept_tokens.h"

#include <fmt/format.h>

#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "cuda/kernels.h"

namespace imatch {

SelectedTokens KeptTokens::on(c10::Device device, const Features& features, const TokenSelection& selection,
                              const char* name) {
  const auto selected = [&] {
    SelectedTokens tokens = select_tokens(features, selection, name);
    tokens.unit = tokens.unit.to(device);
    return tokens;
  };
  if (features.key.empty()) return selected();
  const std::string key =
      fmt::format("{} {} {} {}", features.key, selection.max_features, selection.keypoint_th, device.str());
  if (const auto known = kept_.find(key)) return *known;
  const auto made = std::make_shared<const SelectedTokens>(selected());
  kept_.insert(key, made, made->unit.nbytes() + key.size());
  return *made;
}

KeptTokens& KeptTokens::of_gpu(c10::Device device) {
  // Never destroyed: CUDA is gone when static destructors run.
  static std::mutex mutex;
  static auto& all = *new std::map<c10::DeviceIndex, std::unique_ptr<KeptTokens>>;
  const std::lock_guard lock(mutex);
  std::unique_ptr<KeptTokens>& there = all[device.index()];
  if (!there) there = std::make_unique<KeptTokens>(cuda::free_device_bytes(device) / 4);
  return *there;
}

}  // namespace imatch
