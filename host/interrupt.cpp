// SPDX-License-Identifier: Apache-2.0
#include "interrupt.h"

#include <csignal>

#include "base/stop.h"

namespace imatch::host {
namespace {

lua_State* interruptible = nullptr;
volatile std::sig_atomic_t received = 0;

void raise_interrupted(lua_State* L, lua_Debug*) {
  luaL_error(L, "interrupted");
}

void on_signal(int signal) {
  std::signal(signal, SIG_DFL);
  received = signal;
  request_stop();
  if (interruptible)
    lua_sethook(interruptible, raise_interrupted, LUA_MASKCALL | LUA_MASKRET | LUA_MASKCOUNT, 1);
}

void arm() {
  // SA_RESTART is left out: a blocked read or sleep returns at once.
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

}  // namespace

InterruptGuard::InterruptGuard(lua_State* L) {
  interruptible = L;
  arm();
}

InterruptGuard::~InterruptGuard() {
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
  interruptible = nullptr;
}

int pause_interrupt(lua_State* L) {
  lua_sethook(L, nullptr, 0, 0);
  clear_stop();
  return received;
}

void resume_interrupt(lua_State* L, int signal) {
  if (signal == 0) return;
  request_stop();
  lua_sethook(L, raise_interrupted, LUA_MASKCALL | LUA_MASKRET | LUA_MASKCOUNT, 1);
}

int clear_interrupt(lua_State* L) {
  const int signal = received;
  received = 0;
  lua_sethook(L, nullptr, 0, 0);
  clear_stop();
  if (interruptible) arm();
  return signal;
}

}  // namespace imatch::host
