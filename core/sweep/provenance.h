// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/options.h"

namespace imatch {

/// What a result was made with, gathered while a run lives: {started, stopped, wall_s, cpu_s, host, cpu,
/// num_cores, memory_mb, working_folder, script, script_sha256, git = {folder, commit, dirty}, ...}.
class Provenance {
 public:
  /// `script` is the file of the experiment ("" in a REPL); its git repository is asked for commit and dirty
  /// flag. `facts` is what only the caller knows: command line, seed, threads, device, versions, hashes.
  Provenance(const std::string& script, const Json& facts);

  void set(const std::string& name, Json value) { record_[name] = std::move(value); }
  /// The record so far; `stopped` says whether the run has ended (otherwise the end is null).
  Json record(bool stopped) const;

 private:
  Json record_;
  std::chrono::steady_clock::time_point wall_start_;
  double cpu_start_s_;
};

/// Now, "2026-03-01T12:00:00.123Z".
std::string utc_now();

/// {folder, commit, dirty} of the git repository that `path` is in; null without a repository or without git.
/// `dirty`: tracked files differ from the commit.
Json git_state(const std::string& path);

}  // namespace imatch
