// SPDX-License-Identifier: Apache-2.0
#include "index/fingerprint.h"

#include <fmt/format.h>

#include "base/error.h"

namespace imatch {

std::string source_text(const VectorSource& source) {
  const std::string name =
      source.backbone.empty() ? "an unknown backbone" : fmt::format("'{}'", source.backbone);
  const std::string weights =
      source.weights_sha256.empty() ? "" : fmt::format(" (weights {})", source.weights_sha256.substr(0, 12));
  const std::string global = source.global.empty() ? "" : fmt::format(", global '{}'", source.global);
  return name + weights + global;
}

void require_same_source(const VectorSource& given, const VectorSource& held, std::string_view what) {
  const auto differ = [](const std::string& a, const std::string& b) {
    return !a.empty() && !b.empty() && a != b;
  };
  if (differ(given.backbone, held.backbone) || differ(given.weights_sha256, held.weights_sha256) ||
      differ(given.global, held.global))
    throw Error(fmt::format("{}: the vectors are from {}, those in the index from {}; expected the same",
                            what, source_text(given), source_text(held)));
}

void require_same_dim(std::int64_t given, std::int64_t held, const VectorSource& held_source,
                      std::string_view what) {
  if (given != held)
    throw Error(fmt::format("{}: the vectors have {} dimensions, those in the index {} (from {})", what,
                            given, held, source_text(held_source)));
}

}  // namespace imatch
