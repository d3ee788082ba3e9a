// SPDX-License-Identifier: Apache-2.0
#include "io/file_list.h"

#include <filesystem>
#include "catch.h"

#include "base/error.h"
#include "base/file.h"
#include "scratch.h"

namespace imatch {
namespace {

TEST_CASE("files are listed by name, ending and depth") {
  const testing::Scratch scratch;
  for (const char* name : {"b.JPG", "a.jpg", "c.png", ".hidden.jpg", "below/d.jpg"})
    write_file_atomically(scratch / name, "x", false);
  std::filesystem::create_directory_symlink(scratch.path(), scratch / "loop");
  using Names = std::vector<std::string>;
  CHECK(list_files(scratch.path()) == Names{"a.jpg", "b.JPG", "c.png"});
  CHECK(list_files(scratch.path(), {.extensions = {"jpg"}}) == Names{"a.jpg", "b.JPG"});
  CHECK(list_files(scratch.path(), {.extensions = {"JPG"}, .recursive = true}) ==
        Names{"a.jpg", "b.JPG", "below/d.jpg"});
  CHECK_THROWS_AS(list_files(scratch / "missing"), Failure);
  CHECK_THROWS_AS(list_files(scratch / "a.jpg"), Failure);
}

}  // namespace
}  // namespace imatch
