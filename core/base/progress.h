// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "base/options.h"
#include "base/time_left.h"

namespace imatch {

/// How far a long job is.
struct ProgressState {
  std::size_t total = 0;   ///< Items of the job; 0: not known.
  std::size_t cached = 0;  ///< Finished before this run began: they take no part in the estimate.
  std::size_t done = 0;    ///< Finished since, by this process or another one that works on the same job.
  std::size_t failed = 0;  ///< Of cached and done.
  double part = 0;         ///< In [0, 1): how much of the next item is done.
  /// What else there is to watch, in the order of showing: {"loss", 0.031}, {"images_per_s", 210}.
  std::vector<std::pair<std::string, double>> numbers;
};

struct ProgressOptions {
  std::string name;            ///< What is being done.
  std::string unit = "items";  ///< What is counted, in the plural.
  std::int64_t total = 0;
  std::int64_t cached = 0;
  bool quiet = false;

  static constexpr auto fields =
      std::tuple{field("name", &ProgressOptions::name, anything(), "What is being done."),
                 field("unit", &ProgressOptions::unit, anything(), "What is counted, in the plural."),
                 field("total", &ProgressOptions::total, at_least(0), "How many there are; 0: not known."),
                 field("cached", &ProgressOptions::cached, at_least(0),
                       "How many were finished before: they take no part in the estimate."),
                 field("quiet", &ProgressOptions::quiet, anything(), "Show nothing.")};
};

/// What everything that runs for more than a second tells of itself: a bar with the rate, named numbers and
/// the time left on a terminal; elsewhere a line at each tenth or every ten seconds. It goes to standard
/// error, and what ends within a second leaves nothing. One that begins while another one lives is shown
/// behind it, as what the outer one is at. Safe for several threads.
class Progress {
 public:
  explicit Progress(ProgressOptions options);
  /// "index: 40 of 120 vectors": for loops of our own.
  Progress(std::string name, std::string unit, std::size_t total)
      : Progress(ProgressOptions{
            .name = std::move(name), .unit = std::move(unit), .total = static_cast<std::int64_t>(total)}) {}
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Says how far the job is; total and cached of 0 stay what they were. Cheap, and the place where a stop is
  /// noticed: throws Interrupted.
  void update(ProgressState state);
  /// As many items more are done.
  void advance(std::size_t items = 1);
  /// Shows the last state and ends the line; the destructor does so as well.
  void finish();

  /// Ends those that began inside of this one and were left behind by an error.
  void end_inner();

  /// Whether none is shown in this process: --quiet.
  static void set_quiet(bool quiet);

 private:
  enum class Style { kBar, kLines, kQuiet };
  using Clock = std::chrono::steady_clock;
  void changed();
  void draw(Clock::time_point now);
  std::string line() const;
  void end();

  std::string name_, unit_;
  Style style_;
  int terminal_ = -1;  ///< Where standard error went when the outermost one began.
  ProgressState state_;
  TimeLeft time_left_;
  Clock::time_point started_ = Clock::now();
  Clock::time_point drawn_ = started_;
  std::size_t drawn_tenth_ = 0;
  std::string last_line_;
  bool line_open_ = false, ended_ = false;
};

/// "12 of 500 cells (2%), 3 failed, 4 cached, loss 0.031, 2.1 cells/s, 1 min 20 s left".
std::string progress_text(const ProgressState& state, const TimeLeft& time_left, const std::string& unit);

/// "loss 0.031"; "210 images/s" for images_per_s.
std::string named_number(const std::string& name, double value);

/// "0.4 s", "35 s", "2 min 5 s", "3 h 12 min".
std::string duration_text(double seconds);

}  // namespace imatch
