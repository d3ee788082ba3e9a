// SPDX-License-Identifier: Apache-2.0
#include "redis/redis_buffer.h"

#include <filesystem>
#include "catch.h"

#include "base/file.h"
#include "scratch.h"

namespace imatch {
namespace {

using Records = std::vector<std::string>;
using testing::Scratch;

TEST_CASE("records come back in their order, whatever bytes they hold, and lie on the disk as described") {
  const Scratch scratch;
  RedisBuffer buffer(scratch / "below/buffer", 1000);
  CHECK(buffer.append({"one", std::string("t\0w\no", 5)}));
  CHECK(buffer.append({""}));
  CHECK(buffer.size() == 3);
  CHECK(buffer.first(2) == Records{"one", std::string("t\0w\no", 5)});
  CHECK(buffer.first(9) == Records{"one", std::string("t\0w\no", 5), ""});
  CHECK(read_file(buffer.path()) == std::string("00000003one00000005t\0w\no00000000", 32));
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
  const std::string whole = "00000003one00000005three";
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    write_file_atomically(scratch / "buffer", whole.substr(0, size));
    RedisBuffer buffer(scratch / "buffer", 1000);
    const std::size_t expected = size == whole.size() ? 2 : size >= 11 ? 1 : 0;
    INFO(size);
    CHECK(buffer.size() == expected);
    CHECK(buffer.append({"new"}));  // behind the last whole record, not behind the torn one
    CHECK(buffer.first(9).back() == "new");
    CHECK(RedisBuffer(scratch / "buffer", 1000).size() == expected + 1);
  }
  write_file_atomically(scratch / "buffer", "00000003one0000000xtwo");
  CHECK(RedisBuffer(scratch / "buffer", 1000).first(9) == Records{"one"});
}

TEST_CASE("the file never passes its limit, and what was dropped makes room") {
  const Scratch scratch;
  RedisBuffer buffer(scratch / "buffer", 100);
  CHECK(buffer.append({std::string(42, 'a'), std::string(34, 'b')}));  // 50 + 42 bytes
  CHECK_FALSE(buffer.append({std::string(42, 'c')}));
  CHECK(buffer.size() == 2);
  CHECK(std::filesystem::file_size(buffer.path()) == 92);
  CHECK(buffer.append({""}));  // 8 bytes: the limit itself
  CHECK(std::filesystem::file_size(buffer.path()) == 100);
  buffer.drop(2);
  CHECK(buffer.append({std::string(42, 'c')}));
  CHECK(std::filesystem::file_size(buffer.path()) == 58);
  CHECK(buffer.first(9) == Records{"", std::string(42, 'c')});
  CHECK(RedisBuffer(scratch / "buffer", 100).first(9) == Records{"", std::string(42, 'c')});
}

}  // namespace
}  // namespace imatch
