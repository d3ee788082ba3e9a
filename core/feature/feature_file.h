// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "feature/features.h"
#include "io/mapped_file.h"

namespace imatch {

/// Changes whenever the same key would mean other bytes: it is part of every key and of every file.
inline constexpr int kFeatureFormat = 1;

/// Features as one entry of the cache: "imfeat", the version, a SHA-256 of what follows, and a safetensors
/// file of the tensors "global" and "tokens" with everything else in its `__metadata__`. `compute_ms`: what
/// it took to make them.
std::string feature_bytes(const Features& features, double compute_ms);

struct StoredFeatures {
  Features features;  ///< Tensors on the CPU, over the bytes of the file.
  double compute_ms = 0;
};

/// Throws Failure (bad_format; `name` begins the message) for another version, a wrong checksum, or sizes
/// that do not go together.
StoredFeatures parse_features(const ByteRange& file, const std::string& name);

}  // namespace imatch
