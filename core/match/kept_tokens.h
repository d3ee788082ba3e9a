// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <c10/core/Device.h>

#include <cstddef>
#include <string>

#include "base/lru.h"
#include "match/token_selection.h"

namespace imatch {

/// Selected tokens of images that stay on a device from one pair to the next: an image of a survey is matched
/// with many others, and is selected and sent once. What was used least recently goes first. Calls may come
/// from several threads.
class KeptTokens {
 public:
  explicit KeptTokens(std::size_t limit_bytes) : kept_(limit_bytes) {}

  /// select_tokens, with `unit` on `device`. Features without a content key are not kept. Throws as
  /// select_tokens.
  SelectedTokens on(c10::Device device, const Features& features, const TokenSelection& selection,
                    const char* name);

  std::size_t bytes() const { return kept_.cost(); }

  /// Of a GPU for this process: up to a quarter of the memory that is free when it is first asked for.
  static KeptTokens& of_gpu(c10::Device device);

 private:
  SharedLru<std::string, SelectedTokens> kept_;
};

}  // namespace imatch
