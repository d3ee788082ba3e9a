// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

#include "base/options.h"

namespace imatch {

/// Adds a member to an object that has none of that name; operator[] would look through all of them.
inline void append_member(Json& object, std::string name, Json value) {
  object.get_ref<Json::object_t&>().emplace_back(std::move(name), std::move(value));
}

}  // namespace imatch
