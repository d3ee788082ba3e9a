// SPDX-License-Identifier: Apache-2.0
// Cells that take long: how far they are, and what they keep for whoever goes on with them.
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include "catch.h"

#include "base/error.h"
#include "base/file.h"
#include "base/stop.h"
#include "scratch.h"
#include "sweep/child_process.h"
#include "sweep/run_folder.h"

using namespace imatch;
using imatch::testing::in_child;
using imatch::testing::Scratch;
using imatch::testing::status_of;
namespace fs = std::filesystem;

namespace {

constexpr int kSteps = 20;

std::shared_ptr<const Plan> two_cells() {
  return std::make_shared<Plan>(std::vector<Axis>{{"rate", {0.5, 0.25}}});
}

/// Counts to kSteps with a checkpoint at each; `at_step` may end it. Metrics: the first step of this call.
Measurement train(RunFolder& run, std::size_t cell, const std::function<void(int)>& at_step) {
  const std::string file = run.checkpoint_folder(cell) + "/step";
  int first = 1;
  if (fs::exists(file)) first = std::stoi(read_file(file)) + 1;
  for (int step = first; step <= kSteps; ++step) {
    write_file_atomically(file, std::to_string(step), false);
    run.report(cell, {.total = kSteps,
                      .done = static_cast<std::size_t>(step),
                      .numbers = {{"loss", 1.0 / step}, {"images_per_s", 210}}});
    at_step(step);
  }
  Measurement measured;
  measured.metrics = {{"first", first}};
  return measured;
}

std::unique_ptr<RunFolder> opened(const std::string& path, bool retry = false) {
  return std::make_unique<RunFolder>(path, two_cells(), Json{{"name", "long"}},
                                     RunOptions{.retry_failed = retry, .quiet = true});
}

void run_with(RunFolder& run, const std::function<void(int)>& at_step) {
  run.run([&](std::size_t cell) { return train(run, cell, at_step); }, std::nullopt, 0, "long");
}

}  // namespace

TEST_CASE("A cell that is killed goes on from its checkpoint in another process") {
  Scratch scratch;
  const std::string path = scratch / "run";
  const pid_t child = in_child([&] {
    run_with(*opened(path), [](int step) {
      if (step == 7) ::raise(SIGKILL);
    });
  });
  CHECK(WTERMSIG(status_of(child)) == SIGKILL);
  const auto run = opened(path);
  const auto unfinished = run->unfinished();
  REQUIRE(unfinished.size() == 1);
  CHECK(unfinished[0].first == 0);
  CHECK(unfinished[0].second.state.total == kSteps);
  CHECK(unfinished[0].second.state.done >= 1);  // written once a second
  CHECK(unfinished[0].second.state.numbers.at(1) == std::pair<std::string, double>("images_per_s", 210));
  run_with(*run, [](int) {});
  CHECK(run->record(0).metrics["first"] == 8);
  CHECK(run->record(1).metrics["first"] == 1);
  CHECK(run->record(0).progress ==
        Json({{"done", 20}, {"total", 20}, {"loss", 0.05}, {"images_per_s", 210.0}}));
  CHECK(run->results().progress(1)["done"] == 20);
  CHECK(run->unfinished().empty());
  CHECK(fs::is_empty(path + "/checkpoints"));
  for (const auto& entry : fs::directory_iterator(path + "/cells"))
    CHECK(entry.path().extension() == ".json");
}

TEST_CASE("An interrupted cell keeps its checkpoint") {
  Scratch scratch;
  const std::string path = scratch / "run";
  const auto first = opened(path);
  CHECK_THROWS_AS(run_with(*first,
                           [](int step) {
                             if (step == 5) request_stop();
                           }),
                  Interrupted);
  clear_stop();
  CHECK(first->unfinished().size() == 1);
  const auto second = opened(path);
  run_with(*second, [](int) {});
  CHECK(second->record(0).metrics["first"] == 7);
}

TEST_CASE("A failed cell keeps its checkpoint for a retry") {
  Scratch scratch;
  const std::string path = scratch / "run";
  const auto run = opened(path);
  run->run(
      [&](std::size_t cell) {
        run->checkpoint_folder(cell);
        write_file_atomically(run->checkpoint_folder(cell) + "/step", "11", false);
        Measurement measured;
        measured.ok = false;
        measured.error = "out of memory";
        return measured;
      },
      std::nullopt, 0, "long");
  CHECK(run->results().num_failed() == 2);
  const auto retried = opened(path, true);
  run_with(*retried, [](int) {});
  CHECK(retried->record(1).metrics["first"] == 12);
  CHECK(fs::is_empty(path + "/checkpoints"));
}

TEST_CASE("A cell that another worker has taken over learns of it") {
  Scratch scratch;
  const std::string path = scratch / "run";
  const auto run = opened(path);
  bool refused = false;
  run->run(
      [&](std::size_t cell) {
        const std::string claim = fmt::format("{}/cells/{}.claim", path, run->plan().key(cell));
        if (cell == 0) {
          fs::copy_file(claim, claim + ".1");
          CHECK_THROWS_AS(run->checkpoint_folder(cell), Error);
          CHECK_THROWS_AS(run->report(cell, {.done = 1, .numbers = {}}), Error);
          refused = true;
          fs::remove(claim + ".1");
        }
        return Measurement{};
      },
      std::nullopt, 0, "long");
  CHECK(refused);
  CHECK(run->results().num_ok() == 2);
}

TEST_CASE("A cell that is measured once more, for comparison, finds no checkpoint and leaves none") {
  Scratch scratch;
  const auto run = opened(scratch / "run");
  std::string folder;
  {
    const auto other = opened(scratch / "run");
    folder = other->checkpoint_folder(0);
    write_file_atomically(folder + "/step", "3", false);
    CHECK(fs::is_empty(other->checkpoint_folder(0)));
    other->report(0, {.done = 1, .numbers = {}});
    CHECK(other->unfinished().empty());
  }
  CHECK_FALSE(fs::exists(folder));
  CHECK_FALSE(fs::exists(scratch / "run"));
}
