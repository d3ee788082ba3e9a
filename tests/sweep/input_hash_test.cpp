// SPDX-License-Identifier: Apache-2.0
#include "sweep/input_hash.h"

#include "catch.h"

#include "base/error.h"
#include "base/file.h"
#include "base/sha256.h"
#include "scratch.h"

using namespace imatch;
using imatch::testing::Scratch;

TEST_CASE("A file counts by its content") {
  Scratch scratch;
  write_file_atomically(scratch / "a", "abc");
  write_file_atomically(scratch / "b", "abc");
  CHECK(hash_of_path(scratch / "a") == sha256_hex("abc"));
  CHECK(hash_of_path(scratch / "b") == hash_of_path(scratch / "a"));
  write_file_atomically(scratch / "a", "abd");
  CHECK(hash_of_path(scratch / "a") == sha256_hex("abd"));
  CHECK_THROWS_WITH(hash_of_path(scratch / "missing"), Catch::Contains("missing: no such file"));
}

TEST_CASE("A folder counts by the names and contents of its files, wherever it stands") {
  Scratch one, two;
  for (const Scratch* scratch : {&one, &two}) {
    write_file_atomically(*scratch / "folder/x.jpg", "picture");
    write_file_atomically(*scratch / "folder/deep/y.jpg", "another");
  }
  const std::string before = hash_of_path(one / "folder");
  CHECK(before == hash_of_path(two / "folder"));
  write_file_atomically(one / "folder/deep/y.jpg", "changed");
  CHECK(hash_of_path(one / "folder") != before);
  write_file_atomically(one / "folder/deep/y.jpg", "another");
  CHECK(hash_of_path(one / "folder") == before);
  std::filesystem::rename(one / "folder/x.jpg", one / "folder/z.jpg");
  CHECK(hash_of_path(one / "folder") != before);
}
