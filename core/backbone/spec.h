// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/options.h"

namespace imatch {

/// A backbone in one printable line: its name, then key=value separated by spaces. Values are numbers, true,
/// false or text; text that has spaces or would read as something else stands in double quotes with JSON's
/// escapes.
struct BackboneSpec {
  std::string name;
  Json options = Json::object();  ///< In the order written.
};

std::string format_spec(const BackboneSpec& spec);

/// The reverse of format_spec. Throws Error naming the part that is not key=value.
BackboneSpec parse_spec(std::string_view text);

}  // namespace imatch
