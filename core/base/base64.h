// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace imatch {

/// Bytes in the digits of RFC 4648, padded with '=', without line ends: as data URLs hold them.
std::string base64(std::string_view bytes);

}  // namespace imatch
