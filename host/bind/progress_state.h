// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <lua.hpp>

#include "base/progress.h"

namespace imatch::host {

/// { done = , total = , cached = , failed = , any other number by its name }.
ProgressState check_progress(lua_State* L, int index);

}  // namespace imatch::host
