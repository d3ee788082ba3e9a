// SPDX-License-Identifier: Apache-2.0
#include "sweep/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string_view>

namespace imatch {
namespace {

constexpr double kRedrawSeconds = 0.1;
constexpr double kLineSeconds = 10;
constexpr double kLeastLineSeconds = 1;

void write_error(const std::string& text) {
  std::string_view left = text;
  while (!left.empty()) {
    const ssize_t n = ::write(STDERR_FILENO, left.data(), left.size());
    if (n <= 0) return;
    left.remove_prefix(static_cast<std::size_t>(n));
  }
}

std::size_t terminal_width() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::size_t finished(const ProgressCounts& counts) {
  return counts.cached + counts.done;
}

}  // namespace

std::string duration_text(double seconds) {
  if (seconds < 10) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<long long>(std::llround(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
}

std::string progress_text(const ProgressCounts& counts, double elapsed_s, const std::string& unit) {
  const std::size_t ready = finished(counts);
  const std::size_t percent = counts.total == 0 ? 100 : 100 * ready / counts.total;
  std::string text = fmt::format("{} of {} {} ({}%)", ready, counts.total, unit, percent);
  if (counts.failed > 0) text += fmt::format(", {} failed", counts.failed);
  if (counts.cached > 0) text += fmt::format(", {} cached", counts.cached);
  if (ready >= counts.total) return text + ", " + duration_text(elapsed_s);
  if (counts.done == 0) return text;
  const double left_s =
      elapsed_s / static_cast<double>(counts.done) * static_cast<double>(counts.total - ready);
  return text + ", " + duration_text(left_s) + " left";
}

Progress::Style Progress::style_for(bool quiet) {
  if (quiet) return Style::kQuiet;
  for (const char* rank : {"SLURM_PROCID", "RANK"})
    if (const char* value = std::getenv(rank); value && *value && std::string_view(value) != "0")
      return Style::kQuiet;
  return ::isatty(STDERR_FILENO) ? Style::kBar : Style::kLines;
}

Progress::Progress(std::string name, Style style, std::string unit)
    : name_(std::move(name)), style_(style), unit_(std::move(unit)), drawn_(started_) {}

Progress::~Progress() {
  if (line_open_) write_error("\n");
}

void Progress::update(const ProgressCounts& counts) {
  if (style_ == Style::kQuiet) return;
  const auto now = Clock::now();
  const double since_s = std::chrono::duration<double>(now - drawn_).count();
  const std::size_t tenth = counts.total == 0 ? 10 : 10 * finished(counts) / counts.total;
  const bool due = style_ == Style::kBar
                       ? since_s >= kRedrawSeconds
                       : since_s >= kLineSeconds || (tenth > drawn_tenth_ && since_s >= kLeastLineSeconds);
  if (!due) return;
  drawn_ = now;
  drawn_tenth_ = tenth;
  draw(counts);
}

void Progress::finish(const ProgressCounts& counts) {
  if (style_ == Style::kQuiet) return;
  draw(counts);
  if (line_open_) write_error("\n");
  line_open_ = false;
}

void Progress::draw(const ProgressCounts& counts) {
  const double elapsed_s = std::chrono::duration<double>(Clock::now() - started_).count();
  const std::string text = progress_text(counts, elapsed_s, unit_);
  if (style_ == Style::kLines) {
    if (last_finished_ == finished(counts)) return;
    last_finished_ = finished(counts);
    write_error(fmt::format("{}: {}\n", name_, text));
    return;
  }
  const std::size_t width = terminal_width();
  std::string line = name_ + " ";
  if (width > line.size() + text.size() + 12) {
    const std::size_t cells = std::min<std::size_t>(30, width - line.size() - text.size() - 5);
    const std::size_t full = counts.total == 0 ? cells : cells * finished(counts) / counts.total;
    line += "[" + std::string(full, '#') + std::string(cells - full, '-') + "] ";
  }
  line = (line + text).substr(0, width - 1);
  write_error("\r" + line + "\x1b[K");
  line_open_ = true;
}

}  // namespace imatch
