// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace imatch {

/// ROOT/PART/PART...: the path of a file whose name comes out of other files (data keys, manifests, pair
/// files). Parts may have folders in them. Throws Failure (bad_format) for a part that would lead out of the
/// root: one with "..", one that begins with '/', with a NUL, or without any text. Links are not looked at:
/// only what wrote into the root can have made them.
std::string path_below(std::string_view root, std::initializer_list<std::string_view> parts);

}  // namespace imatch
