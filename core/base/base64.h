// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace imatch {

/// Bytes in the digits of RFC 4648, padded with '=', without line ends: as data URLs hold them.
std::string base64(std::string_view bytes);

/// The bytes of such a text; none for one that has other characters or another length than a multiple of 4.
std::optional<std::string> base64_decoded(std::string_view text);

}  // namespace imatch
