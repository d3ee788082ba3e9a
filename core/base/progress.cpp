// SPDX-License-Identifier: Apache-2.0
#include "base/progress.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <mutex>
#include <string_view>

#include "base/job.h"
#include "base/stop.h"

namespace imatch {
namespace {

constexpr double kRedrawSeconds = 0.1;
constexpr double kLineSeconds = 10;
/// What ends sooner is not worth a line; lines keep this distance as well.
constexpr double kLeastSeconds = 1;

std::mutex progress_mutex;
std::vector<Progress*> begun;  ///< The outermost first; under progress_mutex.
bool quiet_process = false;

void write_to(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(descriptor, text.data(), text.size());
    if (n <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

std::size_t terminal_width(int descriptor) {
  winsize size{};
  return ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::size_t ready(const ProgressState& state) {
  return state.cached + state.done;
}

/// In [0, 1].
double share_done(const ProgressState& state) {
  if (state.total == 0) return 0;
  return std::min(1.0, (static_cast<double>(ready(state)) + state.part) / static_cast<double>(state.total));
}

std::string count_text(const ProgressState& state, const std::string& unit) {
  if (state.total == 0) return fmt::format("{} {}", ready(state), unit);
  return fmt::format("{} of {} {} ({}%)", ready(state), state.total, unit,
                     static_cast<int>(100 * share_done(state)));
}

double seconds(std::chrono::steady_clock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

std::string duration_text(double seconds) {
  if (seconds < 10) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<long long>(std::llround(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
}

std::string named_number(const std::string& name, double value) {
  const std::size_t per = name.find("_per_");
  if (per == std::string::npos) return fmt::format("{} {:.4g}", name, value);
  return fmt::format("{:.4g} {}/{}", value, name.substr(0, per), name.substr(per + 5));
}

std::string progress_text(const ProgressState& state, const TimeLeft& time_left, const std::string& unit) {
  std::string text = count_text(state, unit);
  if (state.failed > 0) text += fmt::format(", {} failed", state.failed);
  if (state.cached > 0) text += fmt::format(", {} cached", state.cached);
  for (const auto& [name, value] : state.numbers) text += ", " + named_number(name, value);
  const auto rate = time_left.items_per_s();
  if (!rate) return text;
  text += *rate >= 1 ? fmt::format(", {:.3g} {}/s", *rate, unit) : ", " + duration_text(1 / *rate) + " each";
  const double left = static_cast<double>(state.total) - static_cast<double>(ready(state)) - state.part;
  return left > 0 ? text + ", " + duration_text(left / *rate) + " left" : text;
}

void Progress::set_quiet(bool quiet) {
  const std::lock_guard lock(progress_mutex);
  quiet_process = quiet;
}

Progress::Progress(ProgressOptions options)
    : name_(std::move(options.name)), unit_(std::move(options.unit)), style_(Style::kQuiet) {
  state_.total = static_cast<std::size_t>(options.total);
  state_.cached = static_cast<std::size_t>(options.cached);
  const std::lock_guard lock(progress_mutex);
  begun.push_back(this);
  if (options.quiet || quiet_process || !is_first_process() || begun.front() != this) return;
  style_ = ::isatty(STDERR_FILENO) ? Style::kBar : Style::kLines;
  terminal_ = ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
}

Progress::~Progress() {
  const std::lock_guard lock(progress_mutex);
  end();
}

void Progress::update(ProgressState state) {
  {
    const std::lock_guard lock(progress_mutex);
    if (state.total == 0) state.total = state_.total;
    if (state.cached == 0) state.cached = state_.cached;
    state_ = std::move(state);
    changed();
  }
  check_stop();
}

void Progress::advance(std::size_t items) {
  {
    const std::lock_guard lock(progress_mutex);
    state_.done += items;
    if (state_.total > state_.cached) state_.done = std::min(state_.done, state_.total - state_.cached);
    changed();
  }
  check_stop();
}

void Progress::finish() {
  const std::lock_guard lock(progress_mutex);
  end();
}

void Progress::end_inner() {
  const std::lock_guard lock(progress_mutex);
  while (!begun.empty() && begun.back() != this && !ended_) begun.back()->end();
}

/// The state is another one: draws when it is time to.
void Progress::changed() {
  const auto now = Clock::now();
  time_left_.add(seconds(now - started_), static_cast<double>(state_.done) + state_.part);
  if (ended_) return;
  Progress& outermost = *begun.front();
  if (outermost.style_ == Style::kQuiet) return;
  const double since_s = seconds(now - outermost.drawn_);
  const auto tenth = static_cast<std::size_t>(10 * share_done(outermost.state_));
  bool due = since_s >= kRedrawSeconds && seconds(now - outermost.started_) >= kLeastSeconds;
  if (outermost.style_ == Style::kLines)
    due = since_s >= kLineSeconds || (tenth > outermost.drawn_tenth_ && since_s >= kLeastSeconds);
  if (!due) return;
  outermost.drawn_tenth_ = tenth;
  outermost.draw(now);
}

std::string Progress::line() const {
  std::string text = progress_text(state_, time_left_, unit_);
  if (begun.back() != this) {
    const Progress& inner = *begun.back();
    text += fmt::format(" | {} {}", inner.name_, count_text(inner.state_, inner.unit_));
  }
  return text;
}

void Progress::draw(Clock::time_point now) {
  drawn_ = now;
  const std::string text = line();
  if (style_ == Style::kLines) {
    if (text != last_line_) write_to(terminal_, fmt::format("{}: {}\n", name_, text));
    last_line_ = text;
    return;
  }
  const std::size_t width = terminal_width(terminal_);
  std::string shown = name_ + " ";
  if (state_.total > 0 && width > shown.size() + text.size() + 12) {
    const std::size_t cells = std::min<std::size_t>(30, width - shown.size() - text.size() - 5);
    const auto full = static_cast<std::size_t>(static_cast<double>(cells) * share_done(state_));
    shown += "[" + std::string(full, '#') + std::string(cells - full, '-') + "] ";
  }
  write_to(terminal_, "\r" + (shown + text).substr(0, width - 1) + "\x1b[K");
  line_open_ = true;
}

void Progress::end() {
  if (ended_) return;
  ended_ = true;
  const bool is_outermost = begun.front() == this;
  std::erase(begun, this);
  if (style_ == Style::kQuiet) return;
  const auto now = Clock::now();
  if (is_outermost && seconds(now - started_) >= kLeastSeconds) {
    const std::string text =
        progress_text(state_, TimeLeft(), unit_) + ", " + duration_text(seconds(now - started_));
    write_to(terminal_, style_ == Style::kLines ? fmt::format("{}: {}\n", name_, text)
                                                : fmt::format("\r{} {}\x1b[K\n", name_, text));
  } else if (line_open_) {
    write_to(terminal_, "\n");
  }
  if (terminal_ >= 0) ::close(terminal_);
}

}  // namespace imatch
