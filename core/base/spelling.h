// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace imatch {

/// The name nearest to `wrong` by edit distance, or "" when none is near enough to be a typo.
std::string nearest_spelling(std::string_view wrong, std::span<const std::string> names);

/// "; did you mean 'x'?" or "", ready to be put behind an error message.
std::string did_you_mean(std::string_view wrong, std::span<const std::string> names);

/// "a, b, c" for messages that list what is allowed.
std::string joined(std::span<const std::string> names, std::string_view separator = ", ");

}  // namespace imatch
