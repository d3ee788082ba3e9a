// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace imatch {

/// How far a run is.
struct ProgressCounts {
  std::size_t total = 0;
  std::size_t cached = 0;  ///< Finished before this run began: they take no part in the estimate.
  std::size_t done = 0;    ///< Finished since, by this process or another one that shares the folder.
  std::size_t failed = 0;  ///< Of cached and done.
};

/// A progress bar with the time left on a terminal; elsewhere one line at each tenth or every ten seconds.
/// Everything goes to standard error.
class Progress {
 public:
  enum class Style { kBar, kLines, kQuiet };
  /// kQuiet when `quiet`, and for every rank but the first of a Slurm or torchrun job; kBar on a terminal;
  /// else kLines.
  static Style style_for(bool quiet);

  /// `unit`: what is counted, in the plural.
  Progress(std::string name, Style style, std::string unit = "cells");
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Draws when it is time to; cheap otherwise.
  void update(const ProgressCounts& counts);
  /// Draws the last state and ends the line.
  void finish(const ProgressCounts& counts);

 private:
  using Clock = std::chrono::steady_clock;
  void draw(const ProgressCounts& counts);

  std::string name_;
  Style style_;
  std::string unit_;
  Clock::time_point started_ = Clock::now();
  Clock::time_point drawn_;
  std::size_t drawn_tenth_ = 0;
  std::size_t last_finished_ = static_cast<std::size_t>(-1);  ///< In the last line written.
  bool line_open_ = false;
};

/// "12 of 500 cells (2%), 3 failed, 4 cached, 1 min 20 s left". `elapsed_s` is the time since the run began.
std::string progress_text(const ProgressCounts& counts, double elapsed_s, const std::string& unit = "cells");

/// "0.4 s", "35 s", "2 min 5 s", "3 h 12 min".
std::string duration_text(double seconds);

}  // namespace imatch
