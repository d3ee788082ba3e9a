// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace imatch {

/// Whether anybody has looked at the stop request since it was made: then work is being ended.
/// Async-signal-safe.
bool stop_noticed() noexcept;

/// While one lives, a stop request that nobody looks at for long does not end the process: what is at work
/// leaves something behind that is worth the wait (a checkpoint), or the process is a session.
class PatientStop {
 public:
  PatientStop() noexcept;
  ~PatientStop();
  PatientStop(const PatientStop&) = delete;
  PatientStop& operator=(const PatientStop&) = delete;

  /// Async-signal-safe.
  static bool is_asked_for() noexcept;
};

}  // namespace imatch
