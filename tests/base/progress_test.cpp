// SPDX-License-Identifier: Apache-2.0
#include "base/progress.h"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <thread>
#include "catch.h"

#include "base/error.h"
#include "base/file.h"
#include "base/stop.h"
#include "scratch.h"

namespace imatch {
namespace {

/// Standard error goes to a file while the object lives.
class StandardErrorFile {
 public:
  StandardErrorFile() : kept_(::dup(STDERR_FILENO)) {
    const int file = ::open(path().c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600);
    ::dup2(file, STDERR_FILENO);
    ::close(file);
  }
  ~StandardErrorFile() {
    ::dup2(kept_, STDERR_FILENO);
    ::close(kept_);
  }
  std::string text() const { return read_file(path()); }

 private:
  std::string path() const { return scratch_ / "stderr"; }
  testing::Scratch scratch_;
  int kept_;
};

void sleep_s(double seconds) {
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

}  // namespace

TEST_CASE("The time left is that since the first item, which pays for all") {
  TimeLeft time_left;
  CHECK_FALSE(time_left.items_per_s());
  time_left.add(5, 1);  // five seconds of start, then 20 ms each
  CHECK_FALSE(time_left.items_per_s());
  for (int i = 2; i <= 50; ++i) time_left.add(5 + 0.02 * (i - 1), i);
  CHECK_FALSE(time_left.items_per_s());  // not settled
  for (int i = 51; i <= 200; ++i) time_left.add(5 + 0.02 * (i - 1), i);
  REQUIRE(time_left.items_per_s());
  CHECK(std::abs(*time_left.items_per_s() - 50) < 1e-6);
}

TEST_CASE("A first estimate is right within a factor of three when the first of few items is dear") {
  for (const double first_s : {0.1, 2.0, 10.0}) {  // seven share what the first one makes
    TimeLeft time_left;
    double time_s = 0;
    for (int i = 1; !time_left.items_per_s(); ++i) {
      time_s += i % 7 == 1 ? first_s : 0.5;
      time_left.add(time_s, i);
    }
    const double truth = 7 / (first_s + 6 * 0.5);
    INFO(first_s << " " << *time_left.items_per_s() << " " << truth);
    CHECK(*time_left.items_per_s() < 3 * truth);
    CHECK(*time_left.items_per_s() > truth / 3);
  }
}

TEST_CASE("One long item tells the rate, and parts of an item count") {
  TimeLeft slow;
  slow.add(30, 1);
  CHECK_FALSE(slow.items_per_s());
  slow.add(90, 2);
  CHECK(slow.items_per_s());
  TimeLeft parts;
  for (int i = 1; i <= 40; ++i) parts.add(i, 0.001 * i);  // 40 of 1,000 steps of the only cell
  CHECK(std::abs(*parts.items_per_s() - 0.001) < 1e-9);
}

TEST_CASE("Progress counts cached items out of the time left and shows named numbers") {
  TimeLeft half_each;
  for (int i = 1; i <= 20; ++i) half_each.add(0.5 * i, i);
  CHECK(progress_text({.total = 100, .cached = 50, .done = 20, .failed = 2, .numbers = {}}, half_each,
                      "cells") == "70 of 100 cells (70%), 2 failed, 50 cached, 2 cells/s, 15 s left");
  CHECK(progress_text(
            {.total = 10, .done = 1, .part = 0.5, .numbers = {{"loss", 0.03125}, {"images_per_s", 210}}},
            TimeLeft(), "cells") == "1 of 10 cells (15%), loss 0.03125, 210 images/s");
  CHECK(progress_text({.done = 7, .numbers = {}}, TimeLeft(), "images") == "7 images");
  CHECK(duration_text(0.44) == "0.4 s");
  CHECK(duration_text(7300) == "2 h 1 min");
}

TEST_CASE("What ends within a second leaves nothing, what takes longer its last state") {
  const StandardErrorFile file;
  {
    Progress quick({.name = "quick", .total = 3});
    quick.advance(3);
  }
  CHECK(file.text().empty());
  {
    Progress quiet({.name = "quiet", .total = 3, .quiet = true});
    sleep_s(1.05);
    quiet.advance(3);
  }
  CHECK(file.text().empty());
  Progress slow({.name = "slow", .unit = "pairs", .total = 3, .cached = 1});
  sleep_s(1.05);
  slow.update({.done = 1, .numbers = {{"loss", 0.5}}});
  slow.finish();
  CHECK(file.text().rfind("slow: 2 of 3 pairs (66%), 1 cached, loss 0.5\nslow: 2 of 3 pairs (66%), 1 cached, "
                          "loss 0.5, 1.1 s\n",
                          0) == 0);
}

TEST_CASE("Progress inside of another one is shown behind it, and one left behind is ended") {
  const StandardErrorFile file;
  Progress outer({.name = "sweep", .unit = "cells", .total = 10});
  auto inner = std::make_unique<Progress>(ProgressOptions{.name = "map", .unit = "tiles", .total = 4});
  sleep_s(1.05);
  inner->update({.done = 3, .numbers = {}});  // no tenth of the cells: the line waits
  CHECK(file.text().empty());
  outer.update({.done = 1, .numbers = {}});
  CHECK(file.text() == "sweep: 1 of 10 cells (10%) | map 3 of 4 tiles (75%)\n");
  outer.end_inner();
  sleep_s(1.05);
  outer.update({.done = 2, .numbers = {}});
  CHECK(file.text().find("20%)\n") != std::string::npos);
  inner.reset();
  outer.finish();
}

TEST_CASE("Progress notices a stop") {
  Progress progress({.name = "job", .total = 3, .quiet = true});
  progress.advance();
  request_stop();
  CHECK_THROWS_AS(progress.advance(), Interrupted);
  CHECK_THROWS_AS(progress.update({.done = 2, .numbers = {}}), Interrupted);
  clear_stop();
}

}  // namespace imatch
