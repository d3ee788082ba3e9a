// SPDX-License-Identifier: Apache-2.0
#include "sweep/output_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <iterator>
#include <mutex>
#include <string_view>
#include <thread>

#include "base/error.h"

namespace imatch {
namespace {

void write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(descriptor, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;  // nobody reads it any more
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

constexpr int kCrashes[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};

void flush_streams() {
  std::cout.flush();
  std::fflush(stdout);
  std::fflush(stderr);
}

}  // namespace

struct OutputLog::State {
  /// A stream, where it really goes, and the pipe in its place. A pipe, not a file: a person who watches sees
  /// each line when it is written.
  struct Stream {
    int number;
    int target = -1, read_end = -1, write_end = -1;
  };
  std::array<Stream, 2> streams{{{STDOUT_FILENO}, {STDERR_FILENO}}};
  int stop[2] = {-1, -1};
  std::mutex mutex;
  std::string text;
  bool listening = false;
  std::thread thread;

  ~State() {
    for (const Stream& s : streams)
      for (const int descriptor : {s.target, s.read_end, s.write_end})
        if (descriptor >= 0) ::close(descriptor);
    for (const int descriptor : stop)
      if (descriptor >= 0) ::close(descriptor);
  }

  void open() {
    bool ok = ::pipe2(stop, O_CLOEXEC) == 0;
    for (Stream& s : streams) {
      int ends[2] = {-1, -1};
      ok = ok && (s.target = ::fcntl(s.number, F_DUPFD_CLOEXEC, 3)) >= 0 && ::pipe2(ends, O_CLOEXEC) == 0;
      s.read_end = ends[0];
      s.write_end = ends[1];
    }
    if (!ok) throw Error(fmt::format("cannot listen to the output of cells: {}", std::strerror(errno)));
  }

  /// What lies in the pipe; under the mutex, so that an empty pipe means that all of it has been taken.
  void take(const Stream& s) {
    char block[16384];
    int waiting = 0;
    while (::ioctl(s.read_end, FIONREAD, &waiting) == 0 && waiting > 0) {
      const ssize_t n = ::read(s.read_end, block, sizeof block);
      if (n <= 0) return;
      const std::string_view bytes(block, static_cast<std::size_t>(n));
      write_all(s.target, bytes);
      text += bytes;
      if (text.size() > 2 * kMostBytes) text.erase(0, text.size() - kMostBytes);
    }
  }

  void listen() {
    std::array<pollfd, 3> files{
        {{streams[0].read_end, POLLIN, 0}, {streams[1].read_end, POLLIN, 0}, {stop[0], POLLIN, 0}}};
    while (::poll(files.data(), files.size(), -1) >= 0 || errno == EINTR) {
      if (files[2].revents) return;
      const std::lock_guard lock(mutex);
      for (const Stream& s : streams) take(s);
    }
  }

  /// Passes on what lies in the pipes without keeping it. Only calls that are allowed in signal handlers.
  void drain() const {
    char block[4096];
    for (const Stream& s : streams) {
      ::dup2(s.target, s.number);
      int waiting = 0;
      while (::ioctl(s.read_end, FIONREAD, &waiting) == 0 && waiting > 0) {
        const ssize_t n = ::read(s.read_end, block, sizeof block);
        if (n <= 0) break;
        write_all(s.target, {block, static_cast<std::size_t>(n)});
      }
    }
  }

  void redirect(bool to_pipes) {
    flush_streams();
    for (const Stream& s : streams) ::dup2(to_pipes ? s.write_end : s.target, s.number);
    listening = to_pipes;
    last_words_of = to_pipes ? this : nullptr;
  }

  /// A process that crashes, or that a cell ends, passes on its last words itself: nobody else will.
  static inline std::atomic<State*> last_words_of = nullptr;
  struct sigaction former[std::size(kCrashes)];

  static void at_end() {
    if (const State* s = last_words_of.exchange(nullptr)) s->drain();
  }
  static void on_crash(int number) {
    if (const State* s = last_words_of.exchange(nullptr)) {
      s->drain();
      for (std::size_t i = 0; i < std::size(kCrashes); ++i) ::sigaction(kCrashes[i], &s->former[i], nullptr);
    } else {
      ::signal(number, SIG_DFL);
    }
    ::raise(number);
  }
  void watch_crashes() {
    [[maybe_unused]] static const int registered = std::atexit(at_end);
    struct sigaction action {};
    action.sa_handler = on_crash;
    sigemptyset(&action.sa_mask);
    for (std::size_t i = 0; i < std::size(kCrashes); ++i) ::sigaction(kCrashes[i], &action, &former[i]);
  }
  void unwatch_crashes() const {
    for (std::size_t i = 0; i < std::size(kCrashes); ++i) ::sigaction(kCrashes[i], &former[i], nullptr);
  }
};

OutputLog::OutputLog() : state_(std::make_unique<State>()) {
  state_->open();
  // Signals are for the thread that runs Lua.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  state_->thread = std::thread([s = state_.get()] { s->listen(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  state_->watch_crashes();
}

OutputLog::~OutputLog() {
  if (state_->listening) end();
  state_->unwatch_crashes();
  write_all(state_->stop[1], "x");
  state_->thread.join();
}

void OutputLog::begin() {
  state_->redirect(true);
}

std::string OutputLog::end() {
  State& s = *state_;
  s.redirect(false);
  const std::lock_guard lock(s.mutex);
  for (const State::Stream& stream : s.streams) s.take(stream);
  std::string text = std::move(s.text);
  s.text.clear();
  if (text.size() > kMostBytes) {
    text.erase(0, text.size() - kMostBytes);
    text.erase(0, text.find('\n') + 1);  // from the beginning of a line
  }
  return text;
}

}  // namespace imatch
