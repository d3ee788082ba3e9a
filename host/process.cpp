// SPDX-License-Identifier: Apache-2.0
#include "process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/error.h"
#include "base/standard_output.h"
#include "base/stop.h"
#include "binding.h"
#include "guard.h"
#include "interrupt.h"
#include "stack.h"

extern char** environ;

namespace imatch::host {
namespace {

constexpr int kLookMs = 50;  ///< A signal that arrives just before poll() begins to wait is seen after this.
int cells_at_hand = 0;

/// A process that was started, and a descriptor that becomes readable when it ends (-1 on old kernels).
struct Child {
  pid_t pid = -1;
  int ended = -1;
  int output = -1;  ///< Where the output of a spare one is kept.
  int status = 0;
  bool is_running = false;
};

/// In the new process, where only async-signal-safe calls are allowed.
[[noreturn]] void become(const Command& command, char* const* words, char* const* environment, pid_t parent,
                         int output) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(127);  // it was killed before
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (!command.folder.empty() && ::chdir(command.folder.c_str()) != 0) ::_exit(126);
  if (output >= 0) ::dup2(output, STDOUT_FILENO);
  ::execve(words[0], words, environment);
  ::_exit(127);
}

/// As execve() takes them; they end with the strings.
std::vector<char*> pointers_to(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& text : strings) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> environment_of(const Command& command) {
  std::vector<std::string> lines;
  for (char** line = environ; *line; ++line)
    if (const std::string text = *line; !command.environment.contains(text.substr(0, text.find('='))))
      lines.push_back(text);
  for (const auto& [name, value] : command.environment) lines.push_back(name + "=" + value);
  return lines;
}

Child start(const Command& command) {
  const std::vector<char*> words = pointers_to(command.words);
  const std::vector<std::string> lines = environment_of(command);
  const std::vector<char*> environment = pointers_to(lines);
  const pid_t parent = ::getpid();
  Child child;
  if (command.is_spare) child.output = ::memfd_create("imatch-output", MFD_CLOEXEC);
  if (command.is_spare && child.output < 0)
    throw Error(fmt::format("{}: its output cannot be kept: {}", words[0], std::strerror(errno)));
  // No signal handler of this process may run in the new one before it has become another program.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  child.pid = ::fork();
  if (child.pid == 0) {
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
      struct sigaction action {};
      if (::sigaction(number, nullptr, &action) == 0 && action.sa_handler != SIG_IGN)
        ::signal(number, SIG_DFL);
    }
    become(command, words.data(), environment.data(), parent, child.output);
  }
  const int error = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (child.pid < 0) throw Error(fmt::format("{} cannot be started: {}", words[0], std::strerror(error)));
  child.is_running = true;
  child.ended = static_cast<int>(::syscall(SYS_pidfd_open, child.pid, 0));
  return child;
}

/// Looks whether it has ended.
void look(Child& child) {
  if (!child.is_running || ::waitpid(child.pid, &child.status, WNOHANG) == 0) return;
  child.is_running = false;
  if (child.ended >= 0) ::close(child.ended);
}

void wait_a_moment(const std::vector<Child>& children) {
  std::vector<pollfd> files;
  for (const Child& child : children)
    if (child.is_running && child.ended >= 0) files.push_back({child.ended, POLLIN, 0});
  ::poll(files.data(), files.size(), files.empty() ? kLookMs / 5 : kLookMs);
}

void pass_on(const std::vector<Child>& children, int signal) {
  for (const Child& child : children)
    if (child.is_running) ::kill(child.pid, signal);
}

/// Whether it took the signal that stops us for its own end, as a program does that was reached by it.
bool is_ended_by(int status, int signal) {
  return (WIFSIGNALED(status) && WTERMSIG(status) == signal) ||
         (WIFEXITED(status) && WEXITSTATUS(status) == 128 + signal);
}

/// Whether a signal ended it, at once or after the program had put its things in order.
bool is_killed(int status) {
  return WIFSIGNALED(status) || is_ended_by(status, SIGTERM) || is_ended_by(status, SIGINT) ||
         is_ended_by(status, SIGHUP);
}

/// What a spare one has written, to standard output.
void show_output(const Child& child) {
  ::lseek(child.output, 0, SEEK_SET);
  char block[1 << 16];
  for (ssize_t count; (count = ::read(child.output, block, sizeof block)) > 0;)
    std::fwrite(block, 1, static_cast<std::size_t>(count), stdout);
  if (const int error = standard_output_error(); error != 0) note_output_error(error);
}

int execute(lua_State* L) {
  if (is_absent(L, 1)) return push(L, 1);  // there is a shell
  const int status = run_commands({{.words = {"/bin/sh", "-c", check_string(L, 1)}}})[0];
  // The terminal's Ctrl-C ended the child before it came to us.
  if (is_ended_by(status, SIGINT)) {
    ::raise(SIGINT);
    check_stop();
  }
  return push(L, status);
}

/// os.exit([code]) closes the state first, so that models and devices are released before static destructors.
int exit_through_state(lua_State* L) {
  lua_settop(L, 1);
  if (cells_at_hand > 0)
    throw Error("os.exit: called while a cell of a sweep is measured; return nil and a message instead");
  const int status = lua_isboolean(L, 1) ? (lua_toboolean(L, 1) ? EXIT_SUCCESS : EXIT_FAILURE)
                                         : static_cast<int>(luaL_optinteger(L, 1, EXIT_SUCCESS));
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_pushinteger(L, status_with_output(status));
  lua_pushboolean(L, 1);
  lua_call(L, 2, 0);
  return 0;
}

}  // namespace

int status_with_output(int status) {
  const int error = standard_output_error();
  if (error == 0) return status;
  std::fprintf(stderr, "imatch-lua: standard output: cannot write: %s\n", std::strerror(error));
  return status == 0 ? 1 : status;
}

std::vector<int> run_commands(const std::vector<Command>& commands) {
  std::fflush(stdout);
  std::vector<Child> children;
  try {
    for (const Command& command : commands) children.push_back(start(command));
  } catch (const Error&) {
    pass_on(children, SIGTERM);
    throw;
  }
  bool is_passed_on = false;
  for (;;) {
    for (Child& child : children) look(child);
    if (std::none_of(children.begin(), children.end(), [](const Child& c) { return c.is_running; })) break;
    if (stop_requested() && !is_passed_on) {
      if (!terminal_sent_signal()) pass_on(children, received_signal());
      is_passed_on = true;
    }
    wait_a_moment(children);
  }
  check_stop();
  const auto teller =
      std::find_if(children.begin(), children.end(), [](const Child& c) { return !is_killed(c.status); });
  if (teller != children.end() && teller->output >= 0) show_output(*teller);
  std::vector<int> statuses;
  for (const Child& child : children) {
    statuses.push_back(child.status);
    if (child.output >= 0) ::close(child.output);
  }
  return statuses;
}

MeasuringScope::MeasuringScope() {
  ++cells_at_hand;
}
MeasuringScope::~MeasuringScope() {
  --cells_at_hand;
}

int run_commands_bound(lua_State* L) {
  std::vector<Command> commands;
  for (const Json& entry : to_json(L, 1, "commands"))
    commands.push_back({entry.at("words").get<std::vector<std::string>>(), entry.value("folder", ""),
                        entry.value("is_spare", false),
                        entry.value("environment", std::map<std::string, std::string>())});
  Json statuses = Json::array(), killed = Json::array();
  for (const int status : run_commands(commands)) {
    statuses.push_back(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    killed.push_back(is_killed(status));
  }
  return push(L, statuses) + push(L, killed);
}

void replace_process_functions(lua_State* L) {
  lua_getglobal(L, "os");
  lua_getfield(L, -1, "exit");
  lua_pushcclosure(L, guarded<exit_through_state>, 1);
  lua_setfield(L, -2, "exit");
  lua_pushcfunction(L, guarded<execute>);
  lua_setfield(L, -2, "execute");
  lua_pop(L, 1);
}

}  // namespace imatch::host
