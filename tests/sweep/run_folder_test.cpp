// SPDX-License-Identifier: Apache-2.0
#include "sweep/run_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <random>
#include <thread>
#include "catch.h"

#include "base/error.h"
#include "base/file.h"
#include "base/stop.h"
#include "scratch.h"
#include "sweep/canonical.h"
#include "sweep/child_process.h"

using namespace imatch;
using imatch::testing::in_child;
using imatch::testing::Scratch;
using imatch::testing::status_of;
namespace fs = std::filesystem;

namespace {

std::shared_ptr<const Plan> plan_of(int n) {
  Axis a{"i", {}};
  for (int i = 0; i < n; ++i) a.values.push_back(i);
  return std::make_shared<Plan>(std::vector<Axis>{std::move(a), {"th", {0.25, 0.5}}});
}

const RunOptions kQuiet{.quiet = true};

Measurement success(Json metrics) {
  Measurement measured;
  measured.metrics = std::move(metrics);
  return measured;
}

Measurement failure(std::string message) {
  Measurement measured;
  measured.ok = false;
  measured.error = measured.traceback = std::move(message);
  return measured;
}

/// Deterministic in the cell alone; every seventh fails; its times are fixed, so that whole tables can be
/// compared.
Measurement measure_cell(const Plan& plan, std::size_t cell) {
  const int i = plan.value(cell, 0).get<int>();
  if (i % 7 == 3) return failure(fmt::format("cell {} cannot be measured", i));
  return success({{"square", i * i},
                  {"ratio", plan.value(cell, 1).get<double>() / (1 + i)},
                  {"time_ms", 1},
                  {"time_spent_ms", 1}});
}

struct Outcome {
  std::string csv, jsonl, failed;
  std::size_t num_run, num_cached;
};

Outcome run_all(const std::string& path, std::shared_ptr<const Plan> plan, RunOptions options = kQuiet) {
  RunFolder run(path, plan, {{"name", "test"}}, options);
  run.describe("", Json::object());
  run.run([&](std::size_t cell) { return measure_cell(*plan, cell); }, std::nullopt, 0, "test");
  return {read_file(path + "/results.csv"), read_file(path + "/results.jsonl"),
          read_file(path + "/failed.csv"), run.num_run(), run.num_cached()};
}

/// What remains of failed cells carries measured times, which no two runs share.
std::string without_failed_times(std::string csv) {
  std::string out;
  std::istringstream lines(csv);
  for (std::string line; std::getline(lines, line);) {
    const auto at = line.find(",failed,");
    if (at != std::string::npos)
      line = line.substr(0, line.rfind(',', line.rfind(',', at - 1) - 1)) + line.substr(at);
    out += line + "\n";
  }
  return out;
}

std::size_t count(const std::string& folder, const std::string& end) {
  std::size_t n = 0;
  for (const auto& entry : fs::directory_iterator(folder)) n += entry.path().string().ends_with(end);
  return n;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

TEST_CASE("A run measures every cell once, and the next run none") {
  Scratch scratch;
  const auto plan = plan_of(10);
  const Outcome first = run_all(scratch / "run", plan);
  CHECK(first.num_run == 20);
  CHECK(count(scratch / "run/cells", ".json") == 20);
  CHECK(count(scratch / "run/cells", ".claim") == 0);
  CHECK(count(scratch / "run/workers", ".alive") == 0);
  CHECK(count(scratch / "run/workers", ".json") == 1);
  const auto modified = fs::last_write_time(scratch / "run/results.csv");

  const Outcome second = run_all(scratch / "run", plan);
  CHECK(second.num_run == 0);
  CHECK(second.num_cached == 20);
  CHECK(second.csv == first.csv);
  CHECK(second.jsonl == first.jsonl);
  CHECK(fs::last_write_time(scratch / "run/results.csv") == modified);
  CHECK(count(scratch / "run/workers", ".json") == 1);
}

TEST_CASE("A value added to an axis runs the new cells only, and the tables hold the new plan") {
  Scratch scratch;
  run_all(scratch / "run", plan_of(10));
  const Outcome wider = run_all(scratch / "run", plan_of(12));
  CHECK(wider.num_cached == 20);
  CHECK(wider.num_run == 4);
  const Outcome fresh = run_all(scratch / "other", plan_of(12));
  CHECK(without_failed_times(wider.csv) == without_failed_times(fresh.csv));
  CHECK(run_all(scratch / "run", plan_of(3)).num_run == 0);
}

TEST_CASE("Tables are made again from the cells alone") {
  Scratch scratch;
  const auto plan = plan_of(10);
  const Outcome first = run_all(scratch / "run", plan);
  for (const char* table : {"plan.csv", "results.csv", "results.jsonl", "failed.csv", "provenance.json"})
    REQUIRE(fs::remove(scratch / "run" + "/" + table));
  const Outcome again = run_all(scratch / "run", plan);
  CHECK(again.num_run == 0);
  CHECK(again.csv == first.csv);
  CHECK(again.jsonl == first.jsonl);
  CHECK(again.failed == first.failed);
}

TEST_CASE("What killed processes left behind is taken away") {
  Scratch scratch;
  const auto plan = plan_of(3);
  run_all(scratch / "run", plan);
  const std::string stem = fmt::format("{}/cells/{}", scratch / "run", plan->key(2));
  const std::string old_part = fmt::format("{}/cells/.x.json.1.0.tmp", scratch / "run");
  const std::string new_part = fmt::format("{}/cells/.y.json.1.0.tmp", scratch / "run");
  for (const std::string& file : {stem + ".claim", stem + ".claim.1", old_part, new_part})
    write_file_atomically(file, "");
  fs::last_write_time(old_part, fs::file_time_type::clock::now() - std::chrono::hours(2));
  run_all(scratch / "run", plan);
  CHECK(count(scratch / "run/cells", ".claim") + count(scratch / "run/cells", ".claim.1") == 0);
  CHECK_FALSE(fs::exists(old_part));
  CHECK(fs::exists(new_part));
}

TEST_CASE("A damaged or missing record is measured again, that one only") {
  Scratch scratch;
  const auto plan = plan_of(10);
  const Outcome first = run_all(scratch / "run", plan);
  write_file_atomically(fmt::format("{}/cells/{}.json", scratch / "run", plan->key(4)), "{\"key\":");
  fs::remove(fmt::format("{}/cells/{}.json", scratch / "run", plan->key(5)));
  const Outcome again = run_all(scratch / "run", plan);
  CHECK(again.num_run == 2);
  CHECK(without_failed_times(again.csv) == without_failed_times(first.csv));
}

TEST_CASE("Failed cells are kept, and measured again on request") {
  Scratch scratch;
  const auto plan = plan_of(10);
  run_all(scratch / "run", plan);
  bool healed = false;
  const auto run_with = [&](RunOptions options) {
    RunFolder run(scratch / "run", plan, {}, options);
    run.run(
        [&](std::size_t cell) {
          return healed ? success({{"square", 9}}) : measure_cell(*plan, cell);
        },
        std::nullopt, 0, "test");
    return std::pair{run.num_run(), run.results().num_failed()};
  };
  CHECK(run_with(kQuiet) == std::pair<std::size_t, std::size_t>{0, 2});
  CHECK(run_with({.retry_failed = true, .quiet = true}) == std::pair<std::size_t, std::size_t>{2, 2});
  healed = true;
  CHECK(run_with({.retry_failed = true, .quiet = true}) == std::pair<std::size_t, std::size_t>{2, 0});
  CHECK(run_with({.retry_failed = true, .quiet = true}) == std::pair<std::size_t, std::size_t>{0, 0});
}

TEST_CASE("Beyond max_failures the run is given up, and what is finished is kept") {
  Scratch scratch;
  const auto plan = plan_of(30);
  CHECK_THROWS_WITH(run_all(scratch / "run", plan, {.max_failures = 2, .quiet = true}),
                    Catch::Contains("max_failures = 2"));
  CHECK(count(scratch / "run/cells", ".json") == 2 * 10 + 1);
  CHECK(count(scratch / "run/cells", ".claim") == 0);
}

TEST_CASE("A stop in mid-cell leaves a run that can be resumed, with its tables") {
  Scratch scratch;
  const auto plan = plan_of(10);
  {
    RunFolder run(scratch / "run", plan, {}, kQuiet);
    int measured = 0;
    CHECK_THROWS_AS(run.run(
                        [&](std::size_t cell) {
                          if (++measured == 6) request_stop();
                          return measure_cell(*plan, cell);
                        },
                        std::nullopt, 0, "test"),
                    Interrupted);
    clear_stop();
  }
  CHECK(count(scratch / "run/cells", ".json") == 5);
  CHECK(count(scratch / "run/cells", ".claim") == 0);
  CHECK(count(scratch / "run/workers", ".alive") == 0);
  CHECK(fs::exists(scratch / "run/results.csv"));
  const Outcome resumed = run_all(scratch / "run", plan);
  CHECK(resumed.num_run == 15);
  CHECK(without_failed_times(resumed.csv) == without_failed_times(run_all(scratch / "other", plan).csv));
}

TEST_CASE("Killed ten times at random moments, a run ends as if nothing had happened") {
  Scratch scratch;
  const auto plan = plan_of(150);
  std::mt19937 random(7);
  for (int kill_number = 0; kill_number < 10; ++kill_number) {
    std::vector<pid_t> children;
    for (unsigned worker = 0; worker < 1 + kill_number % 3u; ++worker)
      children.push_back(in_child([&] {
        RunFolder run(scratch / "run", plan, {}, kQuiet);
        run.run(
            [&](std::size_t cell) {
              ::usleep(1000);
              return measure_cell(*plan, cell);
            },
            std::nullopt, 0, "test");
      }));
    ::usleep(5000 + random() % 40000);
    for (const pid_t child : children) ::kill(child, SIGKILL);
    for (const pid_t child : children) status_of(child);
  }
  const std::size_t kept = fs::exists(scratch / "run/cells") ? count(scratch / "run/cells", ".json") : 0;
  const Outcome last = run_all(scratch / "run", plan);
  CHECK(last.num_cached == kept);
  CHECK(last.num_run == 300 - kept);
  CHECK(count(scratch / "run/cells", ".claim") == 0);
  const Outcome undisturbed = run_all(scratch / "other", plan);
  CHECK(without_failed_times(last.csv) == without_failed_times(undisturbed.csv));
  CHECK(last.failed == undisturbed.failed);
}

TEST_CASE("Processes that share a folder divide the cells and measure none twice") {
  Scratch scratch;
  const auto plan = plan_of(100);
  const std::string log = scratch / "measured.txt";
  std::vector<pid_t> children;
  for (int worker = 0; worker < 4; ++worker)
    children.push_back(in_child([&] {
      RunFolder run(scratch / "run", plan, {}, kQuiet);
      run.run(
          [&](std::size_t cell) {
            const int fd = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
            const std::string line = plan->key(cell) + "\n";
            if (::write(fd, line.data(), line.size()) < 0) throw Error("log");
            ::close(fd);
            ::usleep(2000);
            return measure_cell(*plan, cell);
          },
          std::nullopt, 0, "test");
      if (run.results().num_pending() != 0) throw Error("a worker left before all was done");
      if (run.num_run() == 200) throw Error("one worker did everything");
    }));
  for (const pid_t child : children) CHECK(status_of(child) == 0);
  std::istringstream lines(read_file(log));
  std::vector<std::string> keys;
  for (std::string line; std::getline(lines, line);) keys.push_back(line);
  CHECK(keys.size() == 200);
  std::sort(keys.begin(), keys.end());
  CHECK(std::unique(keys.begin(), keys.end()) == keys.end());
  CHECK(without_failed_times(read_file(scratch / "run/results.csv")) ==
        without_failed_times(run_all(scratch / "other", plan).csv));
  const Json provenance = Json::parse(read_file(scratch / "run/provenance.json"));
  CHECK(provenance["sessions"].size() >= 4);
}

TEST_CASE("An unwritable run folder is one error that names it") {
  Scratch scratch;
  write_file_atomically(scratch / "run", "a file is in its place");
  try {
    run_all(scratch / "run", plan_of(2));
    FAIL("no error");
  } catch (const Failure& failure) {
    CHECK(failure.code() == code::kUnwritable);
    CHECK_THAT(failure.what(), Catch::Contains(scratch / "run"));
    CHECK(std::string(failure.what()).find('\n') == std::string::npos);
  }
}

TEST_CASE("A full disk ends the run with one error, and nothing finished is lost") {
  Scratch scratch;
  const std::string disk = scratch / "disk";
  make_folder(disk);
  if (::mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=256k") != 0) {
    WARN("skipped: a full disk cannot be simulated without the right to mount a tmpfs");
    return;
  }
  const auto plan = plan_of(500);
  std::string message;
  std::size_t finished = 0;
  try {
    run_all(disk + "/run", plan);
  } catch (const Failure& failure) {
    message = failure.what();
    CHECK(failure.code() == code::kNoSpace);
  }
  CHECK_THAT(message, Catch::Contains("disk is full") && Catch::Contains(disk + "/run"));
  CHECK(message.find('\n') == std::string::npos);
  finished = count(disk + "/run/cells", ".json");
  CHECK(finished > 10);
  CHECK(finished < 1000);
  CHECK(count(disk + "/run/cells", ".tmp") == 0);
  CHECK(::mount("tmpfs", disk.c_str(), "tmpfs", MS_REMOUNT, "size=64m") == 0);
  const Outcome resumed = run_all(disk + "/run", plan);
  CHECK(resumed.num_cached == finished);
  const std::string expected = run_all(scratch / "other", plan).csv;
  CHECK(without_failed_times(resumed.csv) == without_failed_times(expected));
  ::umount(disk.c_str());
}

TEST_CASE("10,000 cells: overhead of an empty cell, and of a cached one") {
  Scratch scratch;
  const auto plan = plan_of(5000);
  const auto measure = [](std::size_t cell) {
    const auto x = static_cast<double>(cell);
    return success({{"num_matches", cell},
                    {"num_inliers", cell / 2},
                    {"inlier_ratio", 0.5 + 1e-5 * x},
                    {"precision", 0.25},
                    {"corner_error_px", 1 / (1 + x)}});
  };
  auto start = std::chrono::steady_clock::now();
  {
    RunFolder run(scratch / "run", plan, {}, kQuiet);
    run.run(measure, std::nullopt, 0, "test");
  }
  const double fresh_s = seconds_since(start);
  start = std::chrono::steady_clock::now();
  RunFolder again(scratch / "run", plan_of(5000), {}, kQuiet);
  BestOptions best;
  best.metric = "corner_error_px";
  again.run(measure, best, 0, "test");
  const double cached_s = seconds_since(start);
  std::printf("run: %.3f ms for an empty cell, %.3f s for planning and skipping 10,000 finished ones\n",
              fresh_s / 10, cached_s);
  CHECK(again.num_run() == 0);
  CHECK(again.num_cached() == 10000);
}

TEST_CASE("Provenance has the commit and the dirty flag of git, where there is a repository") {
  Scratch scratch;
  if (std::system("git --version > /dev/null 2>&1") != 0) {
    WARN("skipped: git is not installed");
    return;
  }
  write_file_atomically(scratch / "repo/script.lua", "return 1\n");
  const auto git = [&](const std::string& arguments) {
    return std::system(fmt::format("git -C {} -c user.name=a -c user.email=a@b {} > /dev/null 2>&1",
                                   scratch / "repo", arguments)
                           .c_str());
  };
  CHECK(git_state(scratch / "repo/script.lua").is_null());
  REQUIRE(git("init -q") == 0);
  CHECK(git_state(scratch / "repo/script.lua")["commit"].is_null());
  REQUIRE(git("add script.lua") == 0);
  REQUIRE(git("commit -q -m first") == 0);
  const Json clean = git_state(scratch / "repo/script.lua");
  CHECK(clean["commit"].get<std::string>().size() == 40);
  CHECK(clean["dirty"] == false);
  write_file_atomically(scratch / "repo/script.lua", "return 2\n");
  CHECK(git_state(scratch / "repo/script.lua")["dirty"] == true);
  const Json record = Provenance(scratch / "repo/script.lua", {{"seed", 5}}).record(true);
  CHECK(record["seed"] == 5);
  CHECK(record["script_sha256"].get<std::string>().size() == 64);
  CHECK(record["wall_s"].get<double>() >= 0);
  CHECK_FALSE(record["cpu"].get<std::string>().empty());
}
