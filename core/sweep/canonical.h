// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/options.h"

namespace imatch {

/// The one spelling of a number: integral values below 2^63 as integers (so 2 and 2.0 are the same, and -0 is
/// 0), anything else as the shortest decimal that reads back to the same double. Throws Error for NaN and
/// infinity.
std::string canonical_number(double value);

/// JSON with sorted keys, no spaces and canonical numbers: equal values give equal bytes, whatever program or
/// table order they came from. Throws Error for NaN, infinity and text that is not UTF-8.
std::string canonical_json(const Json& value);

/// `text` as a JSON string with its quotes; bytes that are not UTF-8 become U+FFFD.
std::string quoted_json(std::string_view text);

/// Digits of the keys of cells and run folders: 96 bits, so that a billion cells meet a collision with odds
/// of 1e-11.
inline constexpr int kKeyDigits = 24;

/// First kKeyDigits hexadecimal digits of the SHA-256 of `text`.
std::string content_key(std::string_view text);

/// The random seed of a cell: an integer in [0, 2^52) made of the sweep's seed and the cell's key, so that it
/// depends neither on the order of the cells nor on who runs them.
std::int64_t cell_seed(std::int64_t sweep_seed, std::string_view cell_key);

}  // namespace imatch
