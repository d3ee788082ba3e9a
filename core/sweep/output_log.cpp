// SPDX-License-Identifier: Apache-2.0
#include "sweep/output_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <stdio_ext.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <iostream>
#include <iterator>
#include <mutex>
#include <string_view>
#include <thread>

#include "base/error.h"
#include "base/file_writer.h"
#include "base/mapped_memory.h"
#include "base/standard_output.h"

namespace imatch {
namespace {

/// What standard output does not take is told by the exit status.
void pass_on(int descriptor, int number, std::string_view bytes) {
  if (!write_whole(descriptor, bytes) && number == STDOUT_FILENO) note_output_error(errno);
}

constexpr int kCrashes[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
constexpr std::string_view kCrashNames[] = {"SIGABRT", "SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL"};

/// What the C library still holds, where nobody is writing just now: also allowed when the process crashes.
void flush_what_is_free() {
  if (::ftrylockfile(stdout) != 0) return;
  ::fflush_unlocked(stdout);
  ::funlockfile(stdout);
}

bool is_fully_buffered(FILE* stream) {
  return !__flbf(stream) && __fbufsize(stream) != 1;
}

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
  /// The last bytes, in a ring that a signal handler can read.
  std::array<char, kMostBytes> ring;
  std::size_t num_bytes = 0;
  std::string words_file, words_head;
  bool listening = false;
  bool was_fully_buffered = false;
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
      if (ok) ::fcntl(s.read_end, F_SETFL, O_NONBLOCK);  // two may read what one has seen to be there
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
      pass_on(s.target, s.number, bytes);
      keep(bytes);
    }
  }

  void keep(std::string_view bytes) {
    for (const char c : bytes) ring[num_bytes++ % kMostBytes] = c;
  }

  /// The ring's two halves, in order.
  std::array<std::string_view, 2> kept() const {
    const std::size_t at = num_bytes % kMostBytes;
    if (num_bytes <= kMostBytes) return {std::string_view(ring.data(), num_bytes), {}};
    return {std::string_view(ring.data() + at, kMostBytes - at), std::string_view(ring.data(), at)};
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

  /// Passes on what lies in the pipes, and leaves the last words of the cell. Only calls that are allowed in
  /// signal handlers.
  void end_with(std::string_view reason) {
    flush_what_is_free();
    // The listener passes on first what it has just taken, unless it is the one that crashed. (Trying a lock
    // only compares and sets a word.)
    bool is_alone = mutex.try_lock();
    for (int i = 0; i < 200 && !is_alone; ++i) {
      const timespec moment{0, 5'000'000};
      ::nanosleep(&moment, nullptr);
      is_alone = mutex.try_lock();
    }
    char block[4096];
    for (const Stream& s : streams) {
      ::dup2(s.target, s.number);
      int waiting = 0;
      while (::ioctl(s.read_end, FIONREAD, &waiting) == 0 && waiting > 0) {
        const ssize_t n = ::read(s.read_end, block, sizeof block);
        if (n <= 0) break;
        pass_on(s.target, s.number, {block, static_cast<std::size_t>(n)});
        keep({block, static_cast<std::size_t>(n)});
      }
    }
    if (is_alone) mutex.unlock();
    if (words_file.empty()) return;
    const int file = ::open(words_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (file < 0) return;
    for (const std::string_view part : {reason, std::string_view("\n"), std::string_view(words_head)})
      write_whole(file, part);
    for (const std::string_view part : kept()) write_whole(file, part);
    ::close(file);
  }

  void redirect(bool to_pipes) {
    flush_streams();
    // A line is seen when it is written, as on a terminal.
    if (to_pipes && is_fully_buffered(stdout)) {
      std::setvbuf(stdout, nullptr, _IOLBF, 0);
      was_fully_buffered = true;
    } else if (!to_pipes && was_fully_buffered) {
      std::setvbuf(stdout, nullptr, _IOFBF, 0);
      was_fully_buffered = false;
    }
    for (const Stream& s : streams) ::dup2(to_pipes ? s.write_end : s.target, s.number);
    listening = to_pipes;
    if (to_pipes) outer = last_words_of;  // a sweep within a cell
    last_words_of = to_pipes ? this : outer;
  }

  /// A process that crashes, or that a cell ends, passes on its last words itself: nobody else will.
  static inline std::atomic<State*> last_words_of = nullptr;
  State* outer = nullptr;
  struct sigaction former[std::size(kCrashes)];

  static void at_end() {
    if (State* s = last_words_of.exchange(nullptr)) s->end_with("exit");
  }
  static void on_crash(int number, siginfo_t* info, void*) {
    if (number == SIGBUS && mend_mapped_memory(info->si_addr)) return;
    if (State* s = last_words_of.exchange(nullptr)) {
      for (std::size_t i = 0; i < std::size(kCrashes); ++i)
        if (kCrashes[i] == number) s->end_with(kCrashNames[i]);
      for (std::size_t i = 0; i < std::size(kCrashes); ++i) ::sigaction(kCrashes[i], &s->former[i], nullptr);
    } else {
      ::signal(number, SIG_DFL);
    }
    ::raise(number);
  }
  void watch_crashes() {
    [[maybe_unused]] static const int registered = std::atexit(at_end);
    struct sigaction action {};
    action.sa_sigaction = on_crash;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;  // a stack that has run over cannot hold the handler
    static std::array<char, std::size_t{64} << 10> own_stack;
    stack_t stack{};
    if (::sigaltstack(nullptr, &stack) == 0 && (stack.ss_flags & SS_DISABLE)) {
      stack = {.ss_sp = own_stack.data(), .ss_flags = 0, .ss_size = own_stack.size()};
      ::sigaltstack(&stack, nullptr);
    }
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
  write_whole(state_->stop[1], "x");
  state_->thread.join();
}

void OutputLog::begin(const std::string& words_file, const std::string& words_head) {
  state_->num_bytes = 0;
  state_->words_file = words_file;
  state_->words_head = words_head;
  state_->redirect(true);
}

std::string OutputLog::end() {
  State& s = *state_;
  s.redirect(false);
  const std::lock_guard lock(s.mutex);
  for (const State::Stream& stream : s.streams) s.take(stream);
  std::string text;
  for (const std::string_view part : s.kept()) text += part;
  if (s.num_bytes > kMostBytes) text.erase(0, text.find('\n') + 1);  // from the beginning of a line
  return text;
}

}  // namespace imatch
