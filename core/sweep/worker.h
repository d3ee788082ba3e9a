// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/options.h"

namespace imatch {

/// This process as seen by others that share its run folder: an identity, and a heartbeat that says it lives.
/// The file workers/<id>.alive holds the identity; a thread touches it every kHeartbeatSeconds. It is removed
/// at the end.
class Worker {
 public:
  /// Throws Failure (unwritable, no_space) when the run folder cannot be written.
  explicit Worker(std::string run_folder);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  const std::string& id() const;
  /// Path of the file with the identity.
  const std::string& alive_file() const;
  /// Whether the worker that wrote `identity` (the text of its file) still lives. On this machine its process
  /// is looked up; a stopped one, or one on another machine, counts as dead once its heartbeat is older than
  /// kStaleSeconds. Ages compare two times of the file server, so that clocks need not agree.
  bool is_alive(std::string_view identity) const;

  static constexpr double kHeartbeatSeconds = 5;
  static constexpr double kStaleSeconds = 60;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The workers of a run folder, sorted by name: [{worker, host, pid, heartbeat_age_s, is_alive}]. The age is
/// measured by this machine's clock; a process of this machine is looked up.
Json list_workers(const std::string& run_folder);

}  // namespace imatch
