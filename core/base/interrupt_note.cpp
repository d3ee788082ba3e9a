// SPDX-License-Identifier: Apache-2.0
#include "base/interrupt_note.h"

#include <mutex>
#include <utility>

namespace imatch {
namespace {

std::mutex note_mutex;
std::string current_note;

}  // namespace

void set_interrupt_note(std::string note) {
  const std::lock_guard lock(note_mutex);
  current_note = std::move(note);
}

std::string take_interrupt_note() {
  const std::lock_guard lock(note_mutex);
  return std::exchange(current_note, {});
}

}  // namespace imatch
