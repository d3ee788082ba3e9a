// SPDX-License-Identifier: Apache-2.0
#include "sweep/claim.h"

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

TEST_CASE("A claim is exclusive while its owner lives, and passes on when he is dead") {
  Scratch scratch;
  make_folder(scratch / "cells");
  const std::string cell = scratch / "cells/abc.json";
  Worker mine(scratch.path());
  {
    const auto first = Claim::take(cell, mine);
    REQUIRE(first);
    CHECK_FALSE(Claim::take(cell, mine));
  }
  CHECK(fs::is_empty(scratch / "cells"));
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const pid_t child = in_child([&] {
    Worker theirs(scratch.path());
    auto claim = Claim::take(cell, theirs);
    if (!claim || ::write(ready[1], "x", 1) != 1) throw Error("claim");
    ::pause();
  });
  char byte;
  REQUIRE(::read(ready[0], &byte, 1) == 1);
  CHECK_FALSE(Claim::take(cell, mine));
  ::kill(child, SIGKILL);
  status_of(child);
  {
    const auto taken_over = Claim::take(cell, mine);
    REQUIRE(taken_over);
    CHECK(taken_over->still_held());
    CHECK_FALSE(Claim::take(cell, mine));
  }
  CHECK(fs::is_empty(scratch / "cells"));
}

TEST_CASE("A claim that another worker has taken over is not given back") {
  Scratch scratch;
  make_folder(scratch / "cells");
  const std::string cell = scratch / "cells/abc.json";
  const Worker mine(scratch.path());
  {
    const auto claim = Claim::take(cell, mine);
    REQUIRE(claim);
    write_file_atomically(scratch / "cells/abc.claim.1", read_file(mine.alive_file()), false);
    CHECK_FALSE(claim->still_held());
  }
  CHECK(fs::exists(scratch / "cells/abc.claim"));
  CHECK(fs::exists(scratch / "cells/abc.claim.1"));
  CHECK_FALSE(Claim::take(cell, mine));  // its owner lives
}

TEST_CASE("An empty claim belongs to a worker that writes it just now, unless it is old") {
  Scratch scratch;
  make_folder(scratch / "cells");
  const std::string cell = scratch / "cells/abc.json", file = scratch / "cells/abc.claim";
  const Worker mine(scratch.path());
  write_file_atomically(file, "", false);
  CHECK_FALSE(Claim::take(cell, mine));
  fs::last_write_time(file, fs::file_time_type::clock::now() -
                                std::chrono::seconds(2 * static_cast<int>(Worker::kStaleSeconds)));
  const auto claim = Claim::take(cell, mine);
  REQUIRE(claim);
  CHECK(fs::exists(scratch / "cells/abc.claim.1"));
}

TEST_CASE("Of eight processes that want a cell one gets it") {
  Scratch scratch;
  make_folder(scratch / "cells");
  const std::string cell = scratch / "cells/abc.json";
  std::vector<pid_t> children;
  for (int i = 0; i < 8; ++i)
    children.push_back(in_child([&] {
      const Worker worker(scratch.path());
      const auto claim = Claim::take(cell, worker);
      if (claim) write_file_atomically(scratch / fmt::format("won.{}", ::getpid()), "", false);
      if (claim) ::pause();
    }));
  std::size_t num_lost = 0;
  while (num_lost < 7) {
    REQUIRE(::waitpid(-1, nullptr, 0) > 0);
    ++num_lost;
  }
  const auto num_won = [&] {
    std::size_t n = 0;
    for (const auto& entry : fs::directory_iterator(scratch.path()))
      n += entry.path().filename().string().rfind("won.", 0) == 0;
    return n;
  };
  for (int wait = 0; wait < 1000 && num_won() == 0; ++wait) ::usleep(10'000);
  CHECK(num_won() == 1);
  for (const pid_t child : children) ::kill(child, SIGKILL);
  while (::waitpid(-1, nullptr, 0) > 0) {
  }
}
