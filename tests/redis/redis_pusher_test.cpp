// SPDX-License-Identifier: Apache-2.0
#include "redis/redis_pusher.h"

#include <ATen/ops/tensor.h>

#include <filesystem>
#include <limits>
#include <memory>
#include "catch.h"

#include "base/error.h"
#include "base/file.h"
#include "fake_server.h"
#include "io/json_file.h"
#include "scratch.h"

namespace imatch {
namespace {

using testing::FakeServer;
using testing::Scratch;
using Command = FakeServer::Command;

/// Three vectors of two dimensions; the search of each among all finds itself and the next.
struct PushedSearch {
  VectorSet set;
  Neighbours found;
  SearchSettings search;

  PushedSearch() {
    search.weight = "w";
    search.mode = "raw";
    search.direction = "db2db";
    search.k = 2;
    search.index_build_ms = 5;
    search.search_ms = 0.25;
    set.vectors = at::tensor({1.f, 0.f, 0.f, 1.f, 0.6f, 0.8f}).view({3, 2});
    set.paths = {"v/a.npy", "v/b.npy", "v/c.npy"};
    set.metas = {"", "", ""};
    set.images = {"photos/a.jpg", "", "photos/c.jpg"};
    set.embed_ms = {10, std::numeric_limits<double>::quiet_NaN(), 30};
    found.scores = at::tensor({1.f, 0.6f, 1.f, 0.8f, 1.f, 0.8f}).view({3, 2});
    found.ids = at::tensor(std::vector<std::int64_t>{0, 2, 1, 2, 2, -1}).view({3, 2});
  }
  void push(RedisPusher& pusher) const {
    for (std::int64_t q = 0; q < 3; ++q) pusher.push(search, set, set, found, q);
  }
};

/// A server without the search module that takes every row as new, or as there already.
std::string take_rows(const Command& command, bool is_new = true) {
  if (command[0] == "MODULE") return "*0\r\n";
  if (command[0] == "EVAL") return is_new ? ":1\r\n" : ":0\r\n";
  return "+OK\r\n";
}

RedisOptions options_in(const Scratch& scratch) {
  RedisOptions options;
  options.prefix = "p";
  options.buffer = scratch / "buffer";
  options.timeout_s = 5;
  options.wait_s = 0;
  options.batch = 2;
  return options;
}

TEST_CASE("a row is sent as one script with its keys, its JSON and its fields") {
  const Scratch scratch;
  FakeServer server([](const Command& command) { return take_rows(command); });
  RedisOptions options = options_in(scratch);
  options.ttl_s = 1.5;
  RedisPusher pusher(server.url(), options);
  PushedSearch().push(pusher);
  const RedisCounts counts = pusher.finish();
  CHECK((counts.pushed == 3 && counts.there == 0 && counts.waiting == 0 && counts.reconnects == 0));
  CHECK_FALSE(std::filesystem::exists(options.buffer));

  const std::vector<Command> rows = server.commands("EVAL");
  REQUIRE(rows.size() == 3);
  const Command& first = rows[0];
  REQUIRE(first.size() == 22);  // EVAL, script, 2, two keys, id, ttl, row, seven fields with their values
  CHECK(first[2] == "2");
  CHECK(first[3].substr(0, 10) == "p:w:db2db:");
  CHECK(first[4] == "p:stream");
  CHECK(first[6] == "1500");
  const Json row = parse_json(first[7], "row");
  CHECK(row == Json{{"encoder", "w"},
                    {"backend", "faiss-cpu"},
                    {"dim", 2},
                    {"metric", "ip"},
                    {"topk", 2},
                    {"timing_ms", {{"embed", 10.0}, {"search", 0.25}, {"total", 10.25}}},
                    {"results",
                     {{{"rank", 1}, {"path", "v/a.npy"}, {"filename", "a.jpg"}, {"score", 1.0}},
                      {{"rank", 2}, {"path", "v/c.npy"}, {"filename", "c.jpg"}, {"score", double(0.6f)}}}},
                    {"index_build_ms", 5.0}});
  CHECK(Command(first.begin() + 8, first.end()) == Command{"encoder", "w", "backend", "faiss-cpu", "dim", "2",
                                                           "metric", "ip", "topk", "2", "direction", "db2db",
                                                           "query", "photos/a.jpg"});
}

TEST_CASE("results decide a row's id, times do not") {
  const Scratch scratch;
  FakeServer server([](const Command& command) { return take_rows(command, false); });
  RedisPusher pusher(server.url(), options_in(scratch));
  PushedSearch pushed;
  pushed.push(pusher);
  pushed.search.search_ms = 77;
  pushed.set.embed_ms[0] = 99;
  pushed.push(pusher);
  pushed.found.ids = at::tensor(std::vector<std::int64_t>{0, 1, 1, 2, 2, -1}).view({3, 2});
  pushed.push(pusher);
  CHECK(pusher.finish().there == 9);
  const std::vector<Command> rows = server.commands("EVAL");
  REQUIRE(rows.size() == 9);
  CHECK(rows[0][3] == rows[3][3]);
  CHECK(rows[0][5] == rows[3][5]);
  CHECK(rows[0][3] == rows[6][3]);  // the same query
  CHECK(rows[0][5] != rows[6][5]);  // with another answer
  CHECK(rows[1][5] == rows[7][5]);
  CHECK(rows[0][3] != rows[1][3]);
}

TEST_CASE("rows wait on the disk while the server is away, and go first when it is back") {
  const Scratch scratch;
  const PushedSearch pushed;
  const RedisOptions options = options_in(scratch);
  {
    RedisPusher away("redis://127.0.0.1:1", options);
    pushed.push(away);
    CHECK(away.finish().waiting == 3);
  }
  const std::string waiting = read_file(options.buffer);
  CHECK(waiting.find("photos/a.jpg") < waiting.find("v/b.npy"));
  FakeServer server([](const Command& command) { return take_rows(command); });
  RedisPusher pusher(server.url(), options);
  pusher.push(pushed.search, pushed.set, pushed.set, pushed.found, 0);
  CHECK(pusher.finish().pushed == 4);
  const std::vector<Command> rows = server.commands("EVAL");
  REQUIRE(rows.size() == 4);
  CHECK(rows[0][3] == rows[3][3]);
  CHECK((rows[1][7].find("v/b.npy") != std::string::npos && rows[2][7].find("v/c.npy") != std::string::npos));
  CHECK_FALSE(std::filesystem::exists(options.buffer));
}

TEST_CASE("a full buffer is an error that says how many rows were not taken") {
  const Scratch scratch;
  RedisOptions options = options_in(scratch);
  options.buffer_mb = 1e-4;
  RedisPusher pusher("redis://127.0.0.1:1", options);
  try {
    PushedSearch().push(pusher);
    pusher.finish();
    FAIL("no failure");
  } catch (const Failure& failure) {
    CHECK(std::string(failure.code()) == "buffer_full");
    CHECK(std::string(failure.what()).find("3 rows were not taken") != std::string::npos);
  }
}

TEST_CASE("an answer that is an error refuses, one of a server at work waits") {
  const Scratch scratch;
  for (const auto& [reply, code] :
       {std::pair{"-ERR unknown command 'EVAL'\r\n", "refused"}, {"-BUSY a script\r\n", ""}}) {
    FakeServer server([&, reply = std::string(reply)](const Command& command) {
      return command[0] == "EVAL" ? reply : take_rows(command);
    });
    RedisOptions options = options_in(scratch);
    options.buffer = scratch / std::string("buffer") + code;
    RedisPusher pusher(server.url(), options);
    std::string found;
    try {
      PushedSearch().push(pusher);
      const RedisCounts counts = pusher.finish();
      CHECK(counts.waiting == 3);
    } catch (const Failure& failure) {
      found = failure.code();
    }
    CHECK(found == code);
  }
}

TEST_CASE("a search module gets its index once, and the vectors as bytes") {
  const Scratch scratch;
  FakeServer server([](const Command& command) -> std::string {
    if (command[0] == "MODULE") return "*1\r\n*2\r\n$4\r\nname\r\n$6\r\nsearch\r\n";
    return take_rows(command);
  });
  RedisPusher pusher(server.url(), options_in(scratch));
  PushedSearch().push(pusher);
  CHECK(pusher.finish().search_problem.empty());
  CHECK(server.commands("FT.CREATE").size() == 1);
  const Command second = server.commands("EVAL").at(1);
  CHECK(second.at(second.size() - 2) == "embedding");
  CHECK(second.back() == std::string("\0\0\0\0\0\0\x80\x3f", 8));
}

}  // namespace
}  // namespace imatch
