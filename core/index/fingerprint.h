// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/field.h"

namespace imatch {

/// Where vectors come from. Empty: not known.
struct VectorSource {
  std::string backbone = {};
  std::string weights_sha256 = {};
  std::string global = {};
  static constexpr auto fields =
      std::tuple{field("backbone", &VectorSource::backbone, anything(),
                       "The backbone's specification with all options (Backbone:spec()); empty: not known."),
                 field("weights_sha256", &VectorSource::weights_sha256, anything(),
                       "SHA-256 of its weights file, hexadecimal; empty: not known, or none."),
                 field("global", &VectorSource::global, anything(),
                       "Which vector stands for an image, as the backbone's option `global` says; empty: not "
                       "known.")};
};

/// "'dinov3_vits16 image_size=448' (weights 08c60483...)", or "an unknown backbone".
std::string source_text(const VectorSource& source);

/// Throws Error that names both when `given` says something else than `held`; what either does not know is
/// not compared. `what` begins the message.
void require_same_source(const VectorSource& given, const VectorSource& held, std::string_view what);

/// Throws Error that names both when the number of dimensions differs.
void require_same_dim(std::int64_t given, std::int64_t held, const VectorSource& held_source,
                      std::string_view what);

}  // namespace imatch
