// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/options.h"
#include "index/fingerprint.h"

namespace imatch {

/// What the meta file of a vector says of how it was made.
struct VectorOrigin {
  VectorSource source;
  std::array<std::string, 3> settings;  ///< By VectorOrigins::kSettings; "" where it says nothing.
};

/// Reads `config` of a meta file. One that names an alias (weight_id) but no backbone was written by the
/// pipeline of which these files have their form: its global vectors are means over all tokens before the
/// final norm, "mean_prenorm".
VectorOrigin vector_origin(const Json& meta);

/// How many vectors say what of their making, beyond what must be the same for all (VectorSource).
class VectorOrigins {
 public:
  static constexpr std::array kSettings{"weight_id", "embedding_cfg", "target_res"};

  void add(const VectorOrigin& origin);
  void add(const VectorOrigins& others);
  /// In words, what is not the same for all: "target_res: '768' (30 vectors), '1024' (8 vectors)".
  std::vector<std::string> differences() const;

 private:
  std::array<std::map<std::string, std::int64_t>, kSettings.size()> settings_;
  std::int64_t num_with_backbone_ = 0, num_without_backbone_ = 0;
};

}  // namespace imatch
