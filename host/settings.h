// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/field.h"

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

/// Makes settings count: threads, device, cache. Throws Error for a device that is not there.
void apply(const Settings& s);

/// Settings that may also stand behind a command's name; those left out stay as they are.
struct LateSettings {
  std::optional<std::string> device;
  std::optional<int> threads;
  std::optional<std::string> cache_folder;
  std::optional<bool> cache;
  std::optional<std::int64_t> seed;
  std::optional<bool> quiet;
  static constexpr auto fields = std::tuple{
      field("device", &LateSettings::device, anything(), "'cpu', 'cuda', 'cuda:N' or 'auto'."),
      field("threads", &LateSettings::threads, in_range(1, 4096), "Of LibTorch, OpenMP, OpenCV and BLAS."),
      field("cache_folder", &LateSettings::cache_folder, anything(), "Of the feature cache."),
      field("cache", &LateSettings::cache, anything(), "Whether the feature cache is read and written."),
      field("seed", &LateSettings::seed, in_range(0, 9007199254740992), "Of everything random."),
      field("quiet", &LateSettings::quiet, anything(), "No progress on standard error.")};
};

/// `settings` with what `late` names.
Settings merged(Settings settings, const LateSettings& late);

}  // namespace imatch::host
