// SPDX-License-Identifier: Apache-2.0
#include "redis/redis_buffer.h"

#include <filesystem>
#include "catch.h"

#include "base/file.h"
#include "scratch.h"

namespace imatch {
namespace {

using Records = std::vector<std::string>;
const std::string kTitle = "imatch-lua rows for Redis 1\n";
using testing::Scratch;

TEST_CASE("records come back in their order, whatever bytes they hold, and lie on the disk as described") {
  const Scratch scratch;
  RedisBuffer buffer(scratch / "below/buffer", 1000);
  CHECK(buffer.append({"one", std::string("t\0w\no", 5)}));
  CHECK(buffer.append({""}));
  CHECK(buffer.size() == 3);
  CHECK(buffer.first(2) == Records{"one", std::string("t\0w\no", 5)});
  CHECK(buffer.first(9) == Records{"one", std::string("t\0w\no", 5), ""});
  CHECK(read_file(buffer.path()) == kTitle + std::string("00000003one00000005t\0w\no00000000", 32));
}

TEST_CASE("the next process goes on with what waits") {
  const Scratch scratch;
  {
    RedisBuffer before(scratch / "buffer", 1000);
    CHECK(before.append({"a", "bb", "ccc"}));
  }
  RedisBuffer buffer(scratch / "buffer", 1000);
  CHECK(buffer.first(3) == Records{"a", "bb", "ccc"});
  buffer.drop(1);
  CHECK(buffer.append({"dddd"}));
  CHECK(buffer.first(9) == Records{"bb", "ccc", "dddd"});
  buffer.drop(3);
  CHECK(buffer.size() == 0);
  CHECK_FALSE(std::filesystem::exists(buffer.path()));
  CHECK(buffer.append({"after"}));
  CHECK(buffer.first(1) == Records{"after"});
}

TEST_CASE("a record that was being written when the process died is dropped, at whatever byte it ended") {
  const Scratch scratch;
  const std::string whole = kTitle + "00000003one00000005three";
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    write_file_atomically(scratch / "buffer", whole.substr(0, size));
    const std::size_t expected = size == whole.size() ? 2 : size >= kTitle.size() + 11 ? 1 : 0;
    INFO(size);
    {
      RedisBuffer buffer(scratch / "buffer", 1000);
      CHECK(buffer.size() == expected);
      CHECK(buffer.append({"new"}) == 1);  // behind the last whole record, not behind the torn one
      CHECK(buffer.first(9).back() == "new");
    }
    CHECK(RedisBuffer(scratch / "buffer", 1000).size() == expected + 1);
  }
}

TEST_CASE("a file that is something else is refused and stays as it is") {
  const Scratch scratch;
  for (const std::string text : {"notes", "0000", "00000003one", "00000005n", "x", "{\"a\": 1}"}) {
    write_file_atomically(scratch / "buffer", text);
    INFO(text);
    CHECK_THROWS_WITH(RedisBuffer(scratch / "buffer", 1000), Catch::Contains("holds something else"));
    CHECK(read_file(scratch / "buffer") == text);
  }
  write_file_atomically(scratch / "buffer", "00000002{}00000003[1");  // as an earlier version left it
  CHECK(RedisBuffer(scratch / "buffer", 1000).first(9) == Records{"{}"});
  CHECK_THROWS_WITH(RedisBuffer("/dev/null", 1000), Catch::Contains("not a regular file"));
}

TEST_CASE("the file never passes its limit, and what was dropped makes room") {
  const Scratch scratch;
  const std::size_t title = kTitle.size();
  {
    RedisBuffer buffer(scratch / "buffer", title + 100);
    CHECK(buffer.append({std::string(42, 'a'), std::string(34, 'b')}) == 2);  // 50 + 42 bytes
    CHECK(buffer.append({std::string(42, 'c')}) == 0);
    CHECK(buffer.size() == 2);
    CHECK(std::filesystem::file_size(buffer.path()) == title + 92);
    CHECK(buffer.append({"", "no room"}) == 1);  // 8 bytes: the limit itself
    CHECK(std::filesystem::file_size(buffer.path()) == title + 100);
    buffer.drop(2);
    CHECK(buffer.append({std::string(42, 'c')}) == 1);
    CHECK(std::filesystem::file_size(buffer.path()) == title + 58);
    CHECK((std::filesystem::status(buffer.path()).permissions() & std::filesystem::perms::mask) ==
          (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
    CHECK(buffer.first(9) == Records{"", std::string(42, 'c')});
  }
  CHECK(RedisBuffer(scratch / "buffer", 200).first(9) == Records{"", std::string(42, 'c')});
}

TEST_CASE("two at once have a file each, and the next one takes up both") {
  const Scratch scratch;
  {
    RedisBuffer one(scratch / "buffer", 1000), two(scratch / "buffer", 1000);
    CHECK(one.append({"one"}) == 1);
    CHECK(two.append({"two", "more"}) == 2);
    CHECK(one.path() != two.path());
    RedisBuffer three(scratch / "buffer", 1000);
    CHECK(three.size() == 0);
  }
  RedisBuffer next(scratch / "buffer", 1000);
  CHECK(next.first(9) == Records{"one", "two", "more"});
  CHECK_FALSE(std::filesystem::exists(scratch / "buffer.1"));
  next.drop(3);
  CHECK_FALSE(std::filesystem::exists(scratch / "buffer"));
}

}  // namespace
}  // namespace imatch
