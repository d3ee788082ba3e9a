// SPDX-License-Identifier: Apache-2.0
#include "interrupt.h"

#include <unistd.h>

#include <csignal>
#include <ctime>

#include "base/stop.h"
#include "base/stop_notice.h"

namespace imatch::host {
namespace {

lua_State* interruptible = nullptr;
volatile std::sig_atomic_t received = 0;
volatile std::sig_atomic_t is_from_terminal = 0;
timespec received_at{};
constexpr unsigned kSecondsToNotice = 4;

void raise_interrupted(lua_State* L, lua_Debug*) {
  stop_requested();  // which is noticed now
  luaL_error(L, "interrupted");
}

/// Code that looks at no request (a pattern of Lua's, a finalizer, a library) must not keep the program from
/// ending; nor can it be ended in an orderly way.
void on_alarm(int) {
  if (stop_noticed() || PatientStop::is_asked_for() || received == 0) return;
  static constexpr char kText[] = "imatch-lua: interrupted\n";
  (void)!::write(STDERR_FILENO, kText, sizeof kText - 1);
  ::_exit(128 + static_cast<int>(received));
}

double ms_since(const timespec& start) {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return 1e3 * static_cast<double>(now.tv_sec - start.tv_sec) +
         1e-6 * static_cast<double>(now.tv_nsec - start.tv_nsec);
}

void on_signal(int signal, siginfo_t* info, void*) {
  if (received != 0) {
    if (ms_since(received_at) < kEchoMs) return;
    std::signal(signal, SIG_DFL);
    ::raise(signal);
    return;
  }
  ::clock_gettime(CLOCK_MONOTONIC, &received_at);
  is_from_terminal = info->si_code == SI_KERNEL;
  received = signal;
  request_stop();
  ::alarm(kSecondsToNotice);
  if (interruptible)
    lua_sethook(interruptible, raise_interrupted, LUA_MASKCALL | LUA_MASKRET | LUA_MASKCOUNT, 1);
}

void arm() {
  // SA_RESTART is left out: a blocked read or sleep returns at once.
  struct sigaction action {};
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  struct sigaction hangup {};
  if (sigaction(SIGHUP, nullptr, &hangup) == 0 && hangup.sa_handler != SIG_IGN)
    sigaction(SIGHUP, &action, nullptr);
  action.sa_handler = on_alarm;
  action.sa_flags = SA_RESTART;
  sigaction(SIGALRM, &action, nullptr);
}

}  // namespace

InterruptGuard::InterruptGuard(lua_State* L) {
  interruptible = L;
  arm();
}

InterruptGuard::~InterruptGuard() {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction action {};
    if (sigaction(number, nullptr, &action) == 0 && action.sa_handler != SIG_IGN)
      std::signal(number, SIG_DFL);
  }
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

int received_signal() {
  return received;
}
bool terminal_sent_signal() {
  return is_from_terminal != 0;
}

}  // namespace imatch::host
