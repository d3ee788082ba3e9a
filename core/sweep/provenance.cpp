// SPDX-License-Identifier: Apache-2.0
#include "sweep/provenance.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "base/secret.h"
#include "base/sha256.h"
#include "base/version.h"

extern char** environ;

namespace imatch {
namespace {

/// Standard output of a program; nothing when it cannot be run or fails.
std::optional<std::string> output_of(std::vector<std::string> command) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return std::nullopt;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  std::vector<char*> arguments;
  for (std::string& argument : command) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  pid_t child = 0;
  const bool started =
      ::posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ) == 0;
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  std::string text;
  char block[4096];
  while (started) {
    const ssize_t n = ::read(ends[0], block, sizeof block);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    text.append(block, static_cast<std::size_t>(n));
  }
  ::close(ends[0]);
  int status = -1;
  while (started && ::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!started || !WIFEXITED(status) || WEXITSTATUS(status) != 0) return std::nullopt;
  return text;
}

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// The value of the first line "key : value" of a file in /proc.
std::string proc_field(const char* path, const std::string& key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const auto colon = line.find(':');
    if (line.rfind(key, 0) != 0 || colon == std::string::npos) continue;
    const auto begin = line.find_first_not_of(" \t", colon + 1);
    return begin == std::string::npos ? "" : line.substr(begin);
  }
  return "";
}

/// Bytes that are no UTF-8 as {"percent_encoded": "a%E9"}, so that they can be had again.
void encode_bytes(Json& value) {
  if (value.is_structured()) {
    for (Json& item : value) encode_bytes(item);
    return;
  }
  if (!value.is_string()) return;
  try {
    (void)value.dump();
  } catch (const Json::exception&) {
    std::string encoded;
    for (const char c : value.get_ref<const std::string&>())
      if (static_cast<unsigned char>(c) >= 0x80 || c == '%')
        encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
      else
        encoded += c;
    value = Json{{"percent_encoded", encoded}};
  }
}

double rounded(double seconds) {
  return std::round(seconds * 1000) / 1000;
}

}  // namespace

std::string utc_now() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  tm parts{};
  ::gmtime_r(&now.tv_sec, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, now.tv_nsec / 1000000);
}

Json git_state(const std::string& path) {
  std::error_code ignored;
  const auto absolute = std::filesystem::absolute(path, ignored);
  const std::string folder =
      std::filesystem::is_directory(absolute, ignored) ? absolute : absolute.parent_path();
  const auto git = [&](std::vector<std::string> arguments) {
    std::vector<std::string> command{"git", "--no-optional-locks", "-C", folder};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return output_of(command);
  };
  const auto status = git({"status", "--porcelain=v2", "--branch", "--untracked-files=no"});
  if (!status) return nullptr;
  Json state{{"folder", nullptr}, {"commit", nullptr}, {"dirty", false}};
  std::istringstream lines(*status);
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("# branch.oid ", 0) == 0) {
      if (line.find("(initial)") == std::string::npos) state["commit"] = line.substr(13);
    } else if (!line.empty() && line[0] != '#') {
      state["dirty"] = true;
    }
  }
  if (auto top = git({"rev-parse", "--show-toplevel"})) state["folder"] = top->substr(0, top->find('\n'));
  return state;
}

namespace {

/// Also of the words of a command line.
Json without_passwords_in(const Json& value) {
  if (value.is_string()) return without_passwords(std::string_view(value.get_ref<const std::string&>()));
  if (!value.is_structured()) return value;
  const auto is_text = [](const Json& item) { return item.is_string(); };
  if (value.is_array() && std::all_of(value.begin(), value.end(), is_text))
    return without_passwords(value.get<std::vector<std::string>>());
  Json copy = value;
  for (Json& item : copy) item = without_passwords_in(item);
  return copy;
}

}  // namespace

Provenance::Provenance(const std::string& script, const Json& facts)
    : wall_start_(std::chrono::steady_clock::now()), cpu_start_s_(cpu_seconds()) {
  char host[256] = "";
  ::gethostname(host, sizeof host - 1);
  std::error_code ignored;
  const std::string working = std::filesystem::current_path(ignored);
  record_ = {{"started", utc_now()}, {"stopped", nullptr}, {"wall_s", nullptr}, {"cpu_s", nullptr}};
  record_["host"] = host;
  record_["cpu"] = processor_name();
  record_["num_cores"] = std::thread::hardware_concurrency();
  const std::string memory_kb = proc_field("/proc/meminfo", "MemTotal");
  record_["memory_mb"] = std::strtol(memory_kb.c_str(), nullptr, 10) / 1024;
  record_["working_folder"] = working;
  record_["script"] = script.empty() ? Json(nullptr) : Json(script);
  record_["script_sha256"] = nullptr;
  if (!script.empty()) {
    try {
      record_["script_sha256"] = sha256_file(script);
    } catch (const Failure&) {  // standard input, or moved since
    }
  }
  record_["git"] = git_state(script.empty() ? working : script);
  for (const auto& [name, value] : facts.items()) record_[name] = without_passwords_in(value);
}

Json Provenance::record(bool stopped) const {
  Json record = record_;
  record["wall_s"] =
      rounded(std::chrono::duration<double>(std::chrono::steady_clock::now() - wall_start_).count());
  record["cpu_s"] = rounded(cpu_seconds() - cpu_start_s_);
  if (stopped) record["stopped"] = utc_now();
  encode_bytes(record);
  return record;
}

}  // namespace imatch
