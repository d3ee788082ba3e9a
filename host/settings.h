// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace imatch::host {

/// What the command line said. Filled once by main.
struct Settings {
  std::string device = "auto";
  int threads = 0;           ///< 0: as many as this process may use.
  std::string cache_folder;  ///< "": the user's cache folder.
  bool cache = true;
  std::int64_t seed = 0;
  bool quiet = false;

  std::vector<std::string> code;     ///< -e, in order.
  std::vector<std::string> modules;  ///< -l, in order.
  bool repl_after = false;           ///< -i
  bool version = false;
  bool help = false;
  std::string script;  ///< Script, command name, "-" or "".
  std::vector<std::string> arguments;
  std::vector<std::string> command_line;
};

/// Throws Error (exit status 2) for an unknown option or a missing value.
Settings parse_command_line(int argc, char** argv);

const std::string& usage();

/// The settings of this process.
Settings& settings();

}  // namespace imatch::host
