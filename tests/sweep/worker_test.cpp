// SPDX-License-Identifier: Apache-2.0
#include "sweep/worker.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include "catch.h"

#include "base/error.h"
#include "base/file.h"
#include "scratch.h"
#include "sweep/child_process.h"

using namespace imatch;
using imatch::testing::in_child;
using imatch::testing::Scratch;
using imatch::testing::status_of;
namespace fs = std::filesystem;

TEST_CASE("A worker elsewhere, or stopped, is dead once its heartbeat is old") {
  Scratch scratch;
  Worker mine(scratch.path());
  const auto identity_of = [&](const std::string& id) {
    return Json{
        {"worker", id}, {"host", "elsewhere"}, {"machine", "another boot"}, {"pid", 1}, {"start", "1"}}
        .dump();
  };
  const std::string alive = scratch / "workers/elsewhere-1.alive";
  CHECK_FALSE(mine.is_alive(identity_of("elsewhere-1")));
  write_file_atomically(alive, identity_of("elsewhere-1"));
  CHECK(mine.is_alive(identity_of("elsewhere-1")));
  fs::last_write_time(alive, fs::file_time_type::clock::now() -
                                 std::chrono::seconds(2 * static_cast<int>(Worker::kStaleSeconds)));
  CHECK_FALSE(mine.is_alive(identity_of("elsewhere-1")));
  CHECK_FALSE(mine.is_alive("not JSON"));
  CHECK(mine.is_alive(read_file(mine.alive_file())));

  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  std::string file(200, '\0');
  const pid_t child = in_child([&] {
    Worker theirs(scratch.path());
    const std::string& name = theirs.alive_file();
    if (::write(ready[1], name.data(), name.size()) < 0) throw Error("pipe");
    ::pause();
  });
  const ssize_t size = ::read(ready[0], file.data(), file.size());
  REQUIRE(size > 0);
  file.resize(static_cast<std::size_t>(size));
  ::kill(child, SIGSTOP);
  int status = 0;
  ::waitpid(child, &status, WUNTRACED);
  CHECK(mine.is_alive(read_file(file)));
  fs::last_write_time(file, fs::file_time_type::clock::now() -
                                std::chrono::seconds(2 * static_cast<int>(Worker::kStaleSeconds)));
  CHECK_FALSE(mine.is_alive(read_file(file)));
  ::kill(child, SIGKILL);
  status_of(child);
}

TEST_CASE(
    "The workers of a folder are listed, living and dead, and a new one takes away what is left of the "
    "dead") {
  Scratch scratch;
  CHECK(list_workers(scratch.path()).empty());
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const pid_t child = in_child([&] {
    const Worker theirs(scratch.path());
    if (::write(ready[1], "x", 1) != 1) throw Error("pipe");
    ::pause();
  });
  char byte;
  REQUIRE(::read(ready[0], &byte, 1) == 1);
  Json list = list_workers(scratch.path());
  REQUIRE(list.size() == 1);
  CHECK(list[0]["pid"] == child);
  CHECK(list[0]["is_alive"] == true);
  CHECK(list[0]["heartbeat_age_s"].get<double>() < 5);
  ::kill(child, SIGKILL);
  status_of(child);
  list = list_workers(scratch.path());
  REQUIRE(list.size() == 1);
  CHECK(list[0]["is_alive"] == false);
  const Worker mine(scratch.path());
  list = list_workers(scratch.path());
  REQUIRE(list.size() == 1);
  CHECK(list[0]["worker"] == mine.id());
}

TEST_CASE("A worker's heart beats while it lives, and its file goes with it") {
  Scratch scratch;
  std::string file;
  {
    const Worker worker(scratch.path());
    file = worker.alive_file();
    const auto old = fs::file_time_type::clock::now() - std::chrono::seconds(30);
    fs::last_write_time(file, old);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (fs::last_write_time(file) <= old + std::chrono::seconds(1) &&
           std::chrono::steady_clock::now() < deadline)
      ::usleep(50'000);
    CHECK(fs::last_write_time(file) > old + std::chrono::seconds(1));
  }
  CHECK_FALSE(fs::exists(file));
}
