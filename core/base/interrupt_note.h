// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace imatch {

/// What whoever interrupts the process is told: how far its work has come, and how it goes on. A note takes
/// the place of the one before; an empty one says nothing.
void set_interrupt_note(std::string note);
std::string take_interrupt_note();

}  // namespace imatch
