// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <lua.hpp>

namespace imatch::host {

/// While an object lives, SIGINT, SIGTERM and SIGHUP (unless it is ignored, as by nohup) stop `L`: native
/// loops through the stop request of base/stop.h, Lua through a hook that raises "interrupted" at every
/// instruction. The hook is sticky: only clear_interrupt() removes it, so that `while true do pcall(f) end`
/// ends too. A second signal kills; one that comes within kEchoMs is taken for the first, which a parent or a
/// process group may send twice.
class InterruptGuard {
 public:
  explicit InterruptGuard(lua_State* L);
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;
};

/// While the outermost call goes on after an interruption: lets Lua and native loops run once more, so that
/// what was done can be saved. A second signal kills. `resume_interrupt` puts the interruption back.
int pause_interrupt(lua_State* L);
void resume_interrupt(lua_State* L, int signal);

/// To be called once the outermost lua_pcall is back. Returns the signal that came, 0 if none.
int clear_interrupt(lua_State* L);

/// The signal that asked for a stop, 0 if none did, and whether the terminal sent it: then all processes of
/// its foreground group have got it.
int received_signal();
bool terminal_sent_signal();

inline constexpr int kEchoMs = 250;

}  // namespace imatch::host
