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
  /// kStaleSeconds. Ages compare two times of the file server, so that clocks need not agree. A heartbeat of
  /// the future, which a clock that was set back leaves, is said on standard error once: its worker lives if
  /// the heart beats within kFutureSeconds.
  bool is_alive(std::string_view identity) const;
  /// Seconds since a file of the run folder was changed, by the clock of the file system; negative for one of
  /// the future. Infinite when it is not there.
  double age_s(const std::string& path) const;

  static constexpr double kHeartbeatSeconds = 5;
  static constexpr double kStaleSeconds = 60;
  static constexpr double kFutureSeconds = 15;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The workers of a run folder, sorted by name: [{worker, host, pid, heartbeat_age_s, is_alive}]. The age is
/// measured by this machine's clock, negative for a heartbeat of the future; a process of this machine is
/// looked up.
Json list_workers(const std::string& run_folder);

}  // namespace imatch
