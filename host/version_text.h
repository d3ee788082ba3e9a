// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/options.h"

namespace imatch::host {

/// Name and version of the program, of every library it runs with, of processor and GPU, in this order.
Json component_versions();

/// component_versions() as `--version` prints it.
std::string version_text();

}  // namespace imatch::host
