// SPDX-License-Identifier: Apache-2.0
#include "cuda/fastest.h"

#include <fstream>
#include <stdexcept>
#include "catch.h"

#include "base/file.h"
#include "scratch.h"

namespace imatch::cuda {

TEST_CASE("the fastest way is taken, measured once for each key, by the next process as well") {
  const testing::Scratch scratch;
  int measured = 0;
  const auto seconds = [&](std::size_t way) {
    ++measured;
    if (way == 0) throw std::runtime_error("not for this shape");
    return way == 1 ? 0.5 : 0.25;
  };
  Fastest first({"cudnn", "flash", "efficient"}, scratch.path());
  REQUIRE(first.choose("2x64", seconds) == 2);
  REQUIRE(measured == 3);
  REQUIRE(first.choose("2x64", seconds) == 2);
  REQUIRE(measured == 3);
  REQUIRE(first.choose("a/b: 3", [](std::size_t way) { return way == 1 ? 0.1 : 0.2; }) == 1);
  REQUIRE(first.chosen() == std::map<std::string, std::string>{{"2x64", "efficient"}, {"a/b: 3", "flash"}});

  Fastest next({"cudnn", "flash", "efficient"}, scratch.path());
  REQUIRE(next.choose("2x64", seconds) == 2);
  REQUIRE(next.choose("a/b: 3", seconds) == 1);
  REQUIRE(measured == 3);
  REQUIRE(next.choose("4x64", seconds) == 2);
  REQUIRE(measured == 6);
}

TEST_CASE("a choice that is damaged, of another version's ways or of another key is measured again") {
  const testing::Scratch scratch;
  const auto seconds = [](std::size_t way) { return way == 0 ? 0.1 : 0.2; };
  REQUIRE(Fastest({"old"}, scratch.path()).choose("k", seconds) == 0);
  Fastest changed({"new", "newer"}, scratch.path());
  REQUIRE(changed.choose("k", [](std::size_t way) { return way == 1 ? 0.1 : 0.2; }) == 1);
  std::ofstream(scratch / "k.txt") << "k\nnew";
  REQUIRE(Fastest({"new", "newer"}, scratch.path()).choose("k", [](std::size_t) { return 1.0; }) == 0);
}

TEST_CASE("where no way works, none is taken, and where nothing can be written, nobody fails") {
  Fastest none({"a", "b"}, "");
  REQUIRE(none.choose("k", [](std::size_t) -> double { throw std::runtime_error("no"); }) == 2);
  REQUIRE(none.chosen().at("k") == "none");
  Fastest unwritable({"a"}, "/proc/no/such/folder");
  REQUIRE(unwritable.choose("k", [](std::size_t) { return 1.0; }) == 0);
}

}  // namespace imatch::cuda
