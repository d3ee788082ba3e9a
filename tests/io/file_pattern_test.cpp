// SPDX-License-Identifier: Apache-2.0
#include "io/file_pattern.h"

#include "catch.h"

#include "base/error.h"
#include "base/file.h"
#include "scratch.h"

namespace imatch {
namespace {

TEST_CASE("named groups of a pattern are told of each file that matches as a whole") {
  const testing::Scratch scratch;
  for (const char* name : {"X_300/X_300_0002.jpg", "X_300/X_300_0001.JPG", "X_300/X_300_0001.jpg.txt",
                           "X_30_0001.jpg", "X_300/X_300_00011.jpg"})
    write_file_atomically(scratch / name, "x", false);
  for (const char* pattern : {R"(.*_(?P<alt>\d{3})_(?P<frame>\d{4})\.(jpg|jpeg|png)$)",
                              R"(.*_(?<alt>\d{3})_(?<frame>\d{4})\.(?:jpg|png))"}) {
    const auto found = find_files(scratch.path(), pattern);
    REQUIRE(found.size() == 2);
    CHECK(found[0].path == "X_300/X_300_0001.JPG");
    using Groups = std::vector<std::pair<std::string, std::string>>;
    CHECK(found[1].groups == Groups{{"alt", "300"}, {"frame", "0002"}});
  }
}

TEST_CASE("brackets and escapes in a pattern are no groups") {
  const testing::Scratch scratch;
  write_file_atomically(scratch / "a(7).png", "x", false);
  const auto found = find_files(scratch.path(), R"([(a]\((?P<n>\d)[)]\.png)");
  REQUIRE(found.size() == 1);
  CHECK(found[0].groups[0].second == "7");
}

TEST_CASE("a pattern that cannot be read is an error that shows it") {
  const testing::Scratch scratch;
  for (const char* pattern : {"(", "[a", "(?P<x", "*"})
    CHECK_THROWS_WITH(find_files(scratch.path(), pattern), Catch::Contains(pattern));
  CHECK_THROWS_AS(find_files(scratch / "missing", ".*"), Failure);
}

}  // namespace
}  // namespace imatch
