// SPDX-License-Identifier: Apache-2.0
#include "sweep/worker.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <mutex>
#include <set>
#include <sstream>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "io/json_file.h"

namespace imatch {
namespace {

std::string first_line_of(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::string host_name() {
  char name[256] = "unknown";
  ::gethostname(name, sizeof name - 1);
  return name;
}

/// The text or number of that name; `fallback` where there is none, or something of another kind.
template <class T>
T member_of(const Json& object, const char* name, T fallback) {
  const auto found = object.is_object() ? object.find(name) : object.end();
  if (found == object.end()) return fallback;
  if constexpr (std::is_same_v<T, std::string>)
    return found->is_string() ? found->template get<T>() : fallback;
  else
    return found->is_number_integer() ? found->template get<T>() : fallback;
}
std::string text_in(const Json& object, const char* name) {
  return member_of<std::string>(object, name, "");
}
long pid_in(const Json& identity) {
  return member_of(identity, "pid", -1L);
}

/// Where process ids mean the same: one boot of one machine, one pid namespace.
std::string machine() {
  struct stat status {};
  ::stat("/proc/self/ns/pid", &status);
  return fmt::format("{}:{}", first_line_of("/proc/sys/kernel/random/boot_id"), status.st_ino);
}

/// State letter and start time (clock ticks since boot) of a process; false when there is none.
bool process_status(long pid, char* state, std::string* start) {
  std::string text = first_line_of(fmt::format("/proc/{}/stat", pid).c_str());
  const auto bracket = text.rfind(')');  // the name before it may hold anything
  if (bracket == std::string::npos) return false;
  std::istringstream fields(text.substr(bracket + 1));
  std::string field;
  for (int i = 3; i <= 22 && fields >> field; ++i) {
    if (i == 3) *state = field[0];
    if (i == 22) *start = field;
  }
  return *state != 'Z' && *state != 'X';
}

/// Workers of this very process: a claim with its pid and no entry here was left by an earlier run in it.
std::mutex own_mutex;
std::set<std::string> own_workers;

/// Whether the process that wrote `identity` ran on this machine and is no more.
bool is_gone(const Json& identity, const std::string& this_machine) {
  char state = '?';
  std::string start;
  return identity.is_object() && text_in(identity, "machine") == this_machine &&
         (!process_status(pid_in(identity), &state, &start) || start != text_in(identity, "start"));
}

/// Takes away the files of workers that were killed.
void remove_dead(const std::string& folder, const std::string& this_machine) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    if (entry.path().extension() != ".alive") continue;
    try {
      if (is_gone(json_or_null(read_file(entry.path())), this_machine)) ::unlink(entry.path().c_str());
    } catch (const Failure&) {  // removed by its owner meanwhile
    }
  }
}

double modified_s(const struct stat& status) {
  return static_cast<double>(status.st_mtim.tv_sec) + 1e-9 * static_cast<double>(status.st_mtim.tv_nsec);
}

}  // namespace

struct Worker::State {
  std::string folder, id, alive_file, machine;
  std::mutex mutex;
  std::condition_variable wake;
  bool stop = false;
  std::thread heart;

  /// Heartbeats of the future: when each was seen first.
  struct Sighting {
    double modified_s;
    std::chrono::steady_clock::time_point since;
  };
  std::map<std::string, Sighting> of_future;

  void beat() {
    std::unique_lock lock(mutex);
    const auto period = std::chrono::duration<double>(kHeartbeatSeconds);
    while (!wake.wait_for(lock, period, [&] { return stop; }))
      ::utimensat(AT_FDCWD, alive_file.c_str(), nullptr, 0);
  }
};

Worker::Worker(std::string run_folder) : state_(std::make_unique<State>()) {
  State& s = *state_;
  s.folder = run_folder + "/workers";
  s.machine = machine();
  remove_dead(s.folder, s.machine);
  char letter = '?';
  std::string start;
  process_status(::getpid(), &letter, &start);
  static std::atomic<int> counter{0};
  s.id = file_name_from(fmt::format("{}-{}-{}-{}", host_name(), ::getpid(), start, counter++));
  s.alive_file = fmt::format("{}/{}.alive", s.folder, s.id);
  const Json identity{
      {"worker", s.id}, {"host", host_name()}, {"machine", s.machine}, {"pid", ::getpid()}, {"start", start}};
  write_file_atomically(s.alive_file, identity.dump() + "\n", false);
  {
    std::lock_guard lock(own_mutex);
    own_workers.insert(s.id);
  }
  // Signals are for the thread that runs Lua.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  s.heart = std::thread([&s] { s.beat(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Worker::~Worker() {
  {
    std::lock_guard lock(state_->mutex);
    state_->stop = true;
  }
  state_->wake.notify_all();
  state_->heart.join();
  ::unlink(state_->alive_file.c_str());
  std::lock_guard lock(own_mutex);
  own_workers.erase(state_->id);
}

const std::string& Worker::id() const {
  return state_->id;
}
const std::string& Worker::alive_file() const {
  return state_->alive_file;
}

bool Worker::is_alive(std::string_view identity) const {
  const Json other = json_or_null(identity);
  const std::string id = text_in(other, "worker");
  if (id.empty()) return false;
  const long pid = pid_in(other);
  if (text_in(other, "machine") == state_->machine) {
    if (pid == ::getpid()) {
      std::lock_guard lock(own_mutex);
      return own_workers.contains(id);
    }
    char letter = '?';
    std::string start;
    if (!process_status(pid, &letter, &start) || start != text_in(other, "start")) return false;
    if (letter != 'T' && letter != 't') return true;
  }
  const std::string file = fmt::format("{}/{}.alive", state_->folder, file_name_from(id));
  struct stat theirs {};
  const double age = age_s(file);
  if (std::isinf(age) || ::stat(file.c_str(), &theirs) != 0) return false;
  if (age >= -kHeartbeatSeconds) {
    state_->of_future.erase(id);
    return age < kStaleSeconds;
  }
  const auto now = std::chrono::steady_clock::now();
  const auto [seen, is_new] = state_->of_future.try_emplace(id, State::Sighting{modified_s(theirs), now});
  if (is_new)
    std::fprintf(
        stderr,
        "sweep: the heartbeat of worker %s lies %.0f s in the future (was a clock set back?); looking "
        "whether it lives\n",
        id.c_str(), -age);
  else if (seen->second.modified_s != modified_s(theirs))
    seen->second = {modified_s(theirs), now};
  return std::chrono::duration<double>(now - seen->second.since).count() < kFutureSeconds;
}

double Worker::age_s(const std::string& path) const {
  // Opened, since a network file system asks its server for a file's times only then.
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat theirs {
  }, mine{};
  const bool is_there = file >= 0 && ::fstat(file, &theirs) == 0;
  if (file >= 0) ::close(file);
  if (!is_there) return std::numeric_limits<double>::infinity();
  ::utimensat(AT_FDCWD, state_->alive_file.c_str(), nullptr, 0);
  if (::stat(state_->alive_file.c_str(), &mine) != 0) return 0;
  return modified_s(mine) - modified_s(theirs);
}

Json list_workers(const std::string& run_folder) {
  const std::string this_machine = machine();
  timespec clock{};
  ::clock_gettime(CLOCK_REALTIME, &clock);
  const double now_s = static_cast<double>(clock.tv_sec) + 1e-9 * static_cast<double>(clock.tv_nsec);
  std::map<std::string, Json> found;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(run_folder + "/workers", ignored)) {
    if (entry.path().extension() != ".alive") continue;
    struct stat status {};
    Json identity;
    try {
      identity = json_or_null(read_file(entry.path()));
    } catch (const Failure&) {  // removed by its owner meanwhile
      continue;
    }
    if (!identity.is_object() || ::stat(entry.path().c_str(), &status) != 0) continue;
    const double age_s = now_s - modified_s(status);
    found[text_in(identity, "worker")] = {
        {"worker", text_in(identity, "worker")},
        {"host", text_in(identity, "host")},
        {"pid", pid_in(identity)},
        {"heartbeat_age_s", age_s},
        {"is_alive", age_s < Worker::kStaleSeconds && age_s > -Worker::kStaleSeconds &&
                         !is_gone(identity, this_machine)}};
  }
  Json list = Json::array();
  for (auto& [name, worker] : found) list.push_back(std::move(worker));
  return list;
}

}  // namespace imatch
