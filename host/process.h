// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <lua.hpp>
#include <map>
#include <string>
#include <vector>

namespace imatch::host {

/// The exit status, but 1 in place of 0, with a line on standard error, when standard output did not take
/// all.
int status_with_output(int status);

/// A program to run: its words, the first of which is its path.
struct Command {
  std::vector<std::string> words;
  std::string folder{};   ///< Where it is started; empty: here.
  bool is_spare = false;  ///< Its standard output is shown only if a signal ended all before it.
  std::map<std::string, std::string> environment{};  ///< Variables that it has besides or instead of ours.
};

/// Runs them at once and waits for all of them. A signal that asks this process to stop is passed on to those
/// that did not get it themselves (the terminal's Ctrl-C reaches all), and when this process is killed, so
/// are they, by SIGTERM. Returns their statuses as wait() has them, in order. Throws Interrupted once they
/// have ended, when a stop was asked for; Error when one cannot be started or its output cannot be kept.
std::vector<int> run_commands(const std::vector<Command>& commands);

/// Replaces os.execute by one that passes signals on, and os.exit by one that closes the state first, looks
/// at what became of standard output, and is an error while a cell is measured.
void replace_process_functions(lua_State* L);

/// While an object lives, a cell is being measured: os.exit is an error.
class MeasuringScope {
 public:
  MeasuringScope();
  ~MeasuringScope();
  MeasuringScope(const MeasuringScope&) = delete;
  MeasuringScope& operator=(const MeasuringScope&) = delete;
};

/// internal.run_commands(list of {words = {...}, folder =, is_spare =, environment =}) -> {statuses as a
/// shell has them}, {whether a signal ended it}
int run_commands_bound(lua_State* L);

}  // namespace imatch::host
