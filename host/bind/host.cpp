// SPDX-License-Identifier: Apache-2.0
#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "base/device.h"
#include "base/error.h"
#include "base/revision.h"
#include "base/saved_time.h"
#include "base/stop.h"
#include "base/threads.h"
#include "base/version.h"
#include "bind/lists.h"
#include "binding.h"
#include "cuda/graph.h"
#include "cuda/kernels.h"
#include "memory.h"
#include "nn/attention_backends.h"
#include "nn/recorded_forward.h"
#include "repl.h"
#include "settings.h"
#include "version_text.h"

namespace imatch::host {
namespace host_bindings {

int memory(lua_State* L) {
  return push(L, Json{{"handles", live_handles()},
                      {"native_mb", static_cast<double>(external_bytes()) / (1 << 20)},
                      {"lua_mb", lua_gc(L, LUA_GCCOUNT, 0) / 1024.0}});
}

int version(lua_State* L) {
  return push(L, component_versions());
}

int gpu(lua_State* L) {
  const c10::Device device = resolve_device("auto");
  Json attention = Json::object();
  for (const auto& [shape, kernel] : chosen_attention()) attention[shape] = kernel;
  return push(L, Json{{"device", device.str()},
                      {"name", cuda::device_name(device)},
                      {"kernels", cuda::kernels_status(device)},
                      {"has_kernels", cuda::kernels_for(device, at::kFloat) != nullptr},
                      {"records", static_cast<bool>(cuda::graph_recorder(device))},
                      {"recording_problem", RecordedForward::latest_problem()},
                      {"attention", attention}});
}

int revisions(lua_State* L) {
  Json table = Json::object();
  for (const auto& [stage, revision] : kRevisions) table[std::string(stage)] = revision;
  return push(L, table);
}

int process_settings(lua_State* L) {
  const Settings& s = settings();
  Json command_line = s.command_line;
  return push(L, Json{{"device", s.device},
                      {"threads", s.threads},
                      {"cores", available_threads()},
                      {"cache", s.cache},
                      {"seed", s.seed},
                      {"quiet", s.quiet},
                      {"script", s.script},
                      {"command_line", command_line}});
}

int configure(lua_State* L) {
  const Settings changed = merged(settings(), options<LateSettings>(L, 1, "configure"));
  try {
    apply(changed);
  } catch (const Failure& failure) {
    throw Error(failure.what());  // nobody looks at what this returns
  }
  settings() = changed;
  return 0;
}

int now(lua_State* L) {
  return push(L, std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count());
}

int saved(lua_State* L) {
  return push(L, saved_ms());
}
int note_saved(lua_State* L) {
  note_saved_ms(check_number(L, 1));
  return 0;
}

int sleep_s(lua_State* L) {
  const double seconds = check_number(L, 1);
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (std::chrono::steady_clock::now() < end) {
    check_stop();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return 0;
}

/// The session with a table of variables: what im.repl stands on.
int run_session(lua_State* L) {
  if (!lua_istable(L, 1)) wrong_argument(L, 1, "a table of variables");
  const std::vector<std::string> names = is_absent(L, 2) ? std::vector<std::string>() : check_strings(L, 2);
  lua_settop(L, 1);
  lua_newtable(L);
  for (const std::string& name : names) {
    lua_pushboolean(L, 1);
    lua_setfield(L, 2, name.c_str());
  }
  run_repl(L, true);
  return 0;
}

int terminal_size(lua_State* L) {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) size = {24, 80, 0, 0};
  return push(L, Json{{"columns", size.ws_col}, {"rows", size.ws_row}});
}

int is_terminal(lua_State* L) {
  return push(L, ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1);
}

constexpr Binding kFunctions[] = {
    bind<run_in_scope>(
        "scope", "scope(function) -> results of the function",
        "Calls the function and closes every object that was opened inside, except those it returns: also "
        "when it fails or is interrupted.",
        "print(im.scope(function() return im.image.new(640, 480):width() end)) --> 640"),
    bind<memory>("memory", "memory() -> table",
                 "Objects that are neither closed nor collected (handles), the native memory behind them and "
                 "Lua's own, in "
                 "mebibytes.",
                 "print(im.memory().native_mb >= 0)"),
    bind<revisions>(
        "revisions", "revisions() -> table",
        "Revisions of the stages, by the name of their module (backbone, match, ...): raised when one "
        "computes "
        "something else from the same input. The key of a cell has those of the modules that its code names.",
        "print(im.revisions().backbone)"),
    bind<version>("version", "version() -> table",
                  "Version of the program and of every component, processor and GPU, by name.",
                  "print(im.version().LibTorch)"),
    bind<gpu>(
        "gpu", "gpu() -> table",
        "What networks run on in this process, and how: `device` as --device chose it; its `name`; whether "
        "it `has_kernels` of this program's own beside LibTorch's, with their compiler, or why there are "
        "none, "
        "in `kernels`; whether forward passes of few images are recorded and repeated as one launch "
        "(`records`), and why a network of this process has given that up (`recording_problem`; empty: none "
        "has); and which kernel `attention` takes for the shapes seen so far.",
        "print(#im.gpu().device > 0) --> true"),
    bind<process_settings>("settings", "settings() -> table",
                           "What the command line said: device, threads, cache, seed, quiet, script, "
                           "command_line; and cores, how many of them this process may use.",
                           "print(im.settings().device)"),
    bind<configure>(
        "configure", "configure(options)",
        "Changes settings of this process, as the program's options do before a script's name. What is not "
        "named stays; networks that are open stay on their device.",
        "local threads = im.settings().threads\n"
        "im.configure { seed = im.settings().seed }\n"
        "print(im.settings().threads == threads) --> true",
        describe_options<LateSettings>),
    bind<now>("now", "now() -> number", "Seconds on a clock that only moves forward, for measuring.",
              "local start = im.now()\n"
              "print(im.now() >= start)"),
    bind<saved>(
        "saved_ms", "saved_ms() -> number",
        "Milliseconds that this process would have needed more so far if nothing had been kept: "
        "features that came from the cache, products of features, results of im.memoize. im.stopwatch "
        "reads it.",
        "print(im.saved_ms() >= 0) --> true"),
    bind<note_saved>("note_saved_ms", "note_saved_ms(ms)",
                     "Says that a result was handed out that was computed before, and what that took.",
                     "local before = im.saved_ms()\n"
                     "im.note_saved_ms(20)\n"
                     "print(im.saved_ms() - before) --> 20"),
    bind<is_terminal>("is_terminal", "is_terminal() -> boolean",
                      "Whether a person is at the other end of standard input and output.",
                      "print(im.is_terminal())"),
    bind<terminal_size>("terminal_size", "terminal_size() -> table",
                        "{columns, rows} of the terminal at standard output; 80 and 24 where there is none.",
                        "print(im.terminal_size().columns)"),
    bind<run_session>("session", "session(variables [, names])",
                      "An interactive session whose variables are the fields of a table, until the end of "
                      "input. What is assigned to other names becomes a global, but for those listed in "
                      "`names`. im.repl() is this with the local variables of its caller.",
                      "if im.is_terminal() then im.session({ x = 1 }) end\n"
                      "print(type(im.session))"),
    bind<sleep_s>("sleep", "sleep(seconds)", "Waits; Ctrl-C ends the wait.",
                  "local start = im.now()\n"
                  "im.sleep(0.01)\n"
                  "print(im.now() - start >= 0.01)"),
};

}  // namespace host_bindings

extern const Module host_module;
const Module host_module{"", "The program itself.", host_bindings::kFunctions};

}  // namespace imatch::host
