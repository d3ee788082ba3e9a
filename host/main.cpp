// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <iterator>

#include "base/cpu_guard.h"
#include "base/device.h"
#include "base/error.h"
#include "base/interrupt_note.h"
#include "base/mapped_memory.h"
#include "base/resources.h"
#include "base/secret.h"
#include "base/spelling.h"
#include "feature/cache.h"
#include "interrupt.h"
#include "process.h"
#include "repl.h"
#include "settings.h"
#include "source.h"
#include "stack.h"
#include "state.h"
#include "version_text.h"

namespace imatch::host {
namespace {

namespace fs = std::filesystem;
constexpr int kUsageError = 2;

int report(const Outcome& outcome) {
  if (outcome.signal) {
    const std::string note = take_interrupt_note();
    std::fprintf(stderr, "imatch-lua: interrupted%s%s\n", note.empty() ? "" : "; ", note.c_str());
  } else if (!outcome.ok) {
    std::fprintf(stderr, "imatch-lua: %s\n", outcome.message.c_str());
  }
  return outcome.exit_status();
}

/// Calls the loaded chunk with the script's arguments, or reports why it could not be loaded.
int run_loaded(lua_State* L, bool loaded, const std::string& name,
               const std::vector<std::string>& arguments) {
  if (!loaded) {
    std::fprintf(stderr, "imatch-lua: %s\n", lua_tostring(L, -1));
    lua_pop(L, 1);
    return 1;
  }
  push_arguments(L, name, arguments);
  return report(call(L, static_cast<int>(arguments.size()), 0));
}

std::vector<std::string> command_names() {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(resource_folder("lua") + "/imatch/command", ignored))
    if (entry.path().extension() == ".lua") names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

/// A script file when there is one of that name, else a command.
int run_script_or_command(lua_State* L, const Settings& s) {
  const std::string& name = s.script;
  if (name == "-") {
    const std::string code{std::istreambuf_iterator<char>(std::cin), {}};
    return run_loaded(L, load_user_code(L, code, "=stdin"), name, s.arguments);
  }
  const std::vector<std::string> commands = command_names();
  const bool is_command = std::find(commands.begin(), commands.end(), name) != commands.end();
  if (!is_command || (fs::path(name).has_extension() && fs::exists(name))) {
    if (fs::exists(name) || fs::path(name).extension() == ".lua" || name.find('/') != std::string::npos)
      return begin_script(L, name), run_loaded(L, load_user_file(L, name), name, s.arguments);
    std::fprintf(stderr,
                 "imatch-lua: '%s' is neither a file nor a command%s; 'imatch-lua help' lists the commands\n",
                 name.c_str(), did_you_mean(name, commands).c_str());
    return kUsageError;
  }
  const std::string path = resource_folder("lua") + "/imatch/command/" + name + ".lua";
  return run_loaded(L, load_user_file(L, path), name, s.arguments);
}

/// `-l a.b.c`: the global `c` is the module.
int require_module(lua_State* L, const std::string& name) {
  lua_getglobal(L, "require");
  push(L, name);
  const Outcome outcome = call(L, 1, 1);
  if (!outcome.ok) return report(outcome);
  lua_setglobal(L, name.substr(name.rfind('.') + 1).c_str());
  return 0;
}

/// The options, and the commands as their files describe them.
int print_help(lua_State* L) {
  std::fputs(usage().c_str(), stdout);
  lua_getglobal(L, "require");
  push(L, "imatch.commands");
  Outcome outcome = call(L, 1, 1);
  if (outcome.ok) {
    lua_getfield(L, -1, "print");
    outcome = call(L, 0, 0);
  }
  return report(outcome);
}

int run(const Settings& s) {
  const State state;
  lua_State* L = state.get();
  const InterruptGuard interrupt(L);
  if (s.help) return print_help(L);
  for (const std::string& module : s.modules)
    if (const int status = require_module(L, module)) return status;
  int status = 0;
  for (const std::string& code : s.code)
    if ((status = run_loaded(L, load_user_code(L, code, "=(-e)"), "-e", s.arguments))) break;
  const bool nothing_named = s.script.empty();
  if (status == 0 && !nothing_named) status = run_script_or_command(L, s);
  const bool terminal = isatty(STDIN_FILENO);
  if (s.repl_after || (nothing_named && s.code.empty() && terminal)) return run_repl(L);
  if (status == 0 && nothing_named && s.code.empty()) {
    const std::string code{std::istreambuf_iterator<char>(std::cin), {}};
    return run_loaded(L, load_user_code(L, code, "=stdin"), "-", s.arguments);
  }
  return status;
}

/// The cache never fails a script; what went wrong is told once, when it is over.
void warn_of_cache(const Settings& s) {
  const std::string problem = feature_cache().statistics().problem;
  if (!problem.empty() && !s.quiet)
    std::fprintf(stderr, "imatch-lua: warning: feature cache: %s\n", problem.c_str());
}

/// Networks and matching free tens of megabytes at each step and ask for them again at the next; by default
/// glibc gives them back to the kernel in between, which then clears every page anew: a sixth of a network's
/// time.
void keep_freed_memory() {
#if defined(__GLIBC__)
  ::mallopt(M_MMAP_THRESHOLD, 128 << 20);
  ::mallopt(M_TRIM_THRESHOLD, 512 << 20);
#endif
}

/// Ends the process without the destructors of static objects: the Lua state is closed, so nothing of ours is
/// left to do, and LibTorch takes a third of a short script's time to empty its tables of operators.
int end_process(int status) {
  status = status_with_output(status);
  std::fflush(nullptr);
#if !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)  // they look for leaks at the ordinary end
  ::_exit(status);
#endif
  return status;
}

int main_guarded(int argc, char** argv) {
  try {
    settings() = parse_command_line(argc, argv);
    hide_passwords(argc, argv);
    if (settings().version) {
      std::fputs(version_text().c_str(), stdout);
      return 0;
    }
    apply(settings());
  } catch (const Error& error) {
    std::fprintf(stderr, "imatch-lua: %s\nTry 'imatch-lua --help'.\n", error.what());
    return kUsageError;
  }
  try {
    const int status = run(settings());
    warn_of_cache(settings());
    return status;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "imatch-lua: %s\n", error.what());
    return 1;
  }
}

}  // namespace
}  // namespace imatch::host

int main(int argc, char** argv) {
  imatch::guard_processor();
  imatch::watch_mapped_memory();
  imatch::use_bundled_data();
  imatch::load_cuda_kernels();
  imatch::host::keep_freed_memory();
  return imatch::host::end_process(imatch::host::main_guarded(argc, argv));
}
