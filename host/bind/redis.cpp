// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <chrono>

#include "bind/types.h"
#include "bind/vector_set.h"
#include "binding.h"
#include "redis/redis_connection.h"
#include "redis/redis_pusher.h"

namespace imatch::host {

template <>
inline constexpr const char* type_name<RedisPusher> = "RedisPusher";

namespace redis_bindings {

int open(lua_State* L) {
  return push(L,
              std::make_shared<RedisPusher>(check_string(L, 1), options<RedisOptions>(L, 2, "redis.open")));
}

int ping(lua_State* L) {
  const auto start = std::chrono::steady_clock::now();
  RedisAddress address = parse_redis_url(check_string(L, 1));
  if (!is_absent(L, 2)) address.password = check_string(L, 2);
  const RedisReply reply = RedisConnection(address, {}, 5).call({"PING"});
  if (reply.kind == RedisReply::Kind::kError) throw Failure(kRefused, reply.text);
  const std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - start;
  return push(L, elapsed.count());
}

Json counts_json(const RedisPusher& pusher, const RedisCounts& counts) {
  return {{"pushed", counts.pushed},         {"there", counts.there},
          {"waiting", counts.waiting},       {"lost", counts.lost},
          {"reconnects", counts.reconnects}, {"search_problem", counts.search_problem},
          {"buffer", pusher.buffer_path()}};
}

int push_results(lua_State* L) {
  auto& pusher = mutable_arg<RedisPusher>(L, 1);
  const auto &queries = arg<VectorSet>(L, 2), &base = arg<VectorSet>(L, 3);
  const Neighbours found{arg<at::Tensor>(L, 4), arg<at::Tensor>(L, 5)};
  const auto search = options<SearchSettings>(L, 6, "search");
  for (std::size_t q = 0; q < queries.paths.size(); ++q)
    pusher.push(search, queries, base, found, static_cast<std::int64_t>(q));
  pusher.check();
  return push(L, counts_json(pusher, pusher.counts()));
}
int counts(lua_State* L) {
  const auto& pusher = arg<RedisPusher>(L, 1);
  return push(L, counts_json(pusher, pusher.counts()));
}
int finish(lua_State* L) {
  auto& pusher = mutable_arg<RedisPusher>(L, 1);
  return push(L, counts_json(pusher, pusher.finish()));
}
int pusher_to_string(lua_State* L) {
  const RedisCounts counts = arg<RedisPusher>(L, 1).counts();
  return push(L, fmt::format("RedisPusher({} pushed, {} waiting)", counts.pushed, counts.waiting));
}

constexpr Binding kFunctions[] = {
    bind<open>("open", "redis.open(url [, options]) -> RedisPusher",
               "Pushes search results to a Redis server, redis://[user:password@]host[:port][/database] or "
               "rediss:// for "
               "TLS. Rows wait in a file while it is away; none comes twice. Fails with refused (password, "
               "database, "
               "certificate).",
               "print(im.redis.open('redis://127.0.0.1:1', { buffer = '/tmp/imatch_doc_redis', wait_s = 0 "
               "})) --> RedisPusher(0 pushed, 0 waiting)",
               describe_options<RedisOptions>),
    bind<ping>("ping", "redis.ping(url [, password]) -> number",
               "Milliseconds in which a server was reached and answered. Fails with unreachable or refused.",
               "print(select(3, im.redis.ping 'redis://127.0.0.1:1')) --> unreachable"),
};

constexpr Binding kMethods[] = {
    bind<push_results>(
        "push_results", "RedisPusher:push_results(queries, base, scores, ids, search) -> counts",
        "A row for every query of a search: a hash <prefix>:<weight>:<direction>:<hash> and an entry of the "
        "stream <prefix>:stream. counts: pushed, there (already, with the same results), waiting, lost, "
        "reconnects, buffer, search_problem (why the server's search module got no vector index; empty: it "
        "has one, or there is no such module). All rows are tried before it fails: with buffer_full when "
        "some "
        "of them had no room while the server was away for wait_s, with refused when it did not take one.",
        "local r = im.redis.open('redis://127.0.0.1:1', { buffer = '/tmp/imatch_doc_redis', wait_s = 0 })\n"
        "local none, empty = im.retrieval.vectors {}, im.tensor.from_table { { 0 } }\n"
        "print(r:push_results(none, none, empty, empty, {}).waiting) --> 0",
        describe_options<SearchSettings>),
    bind<counts>("counts", "RedisPusher:counts() -> counts", "What became of the rows so far.",
                 "print(im.redis.open('redis://127.0.0.1:1', { buffer = '/tmp/imatch_doc_redis', wait_s = 0 "
                 "}):counts().lost) --> 0"),
    bind<finish>("finish", "RedisPusher:finish() -> counts",
                 "Sends what waits, for at most wait_s; the rest stays in the buffer for the next run. Fails "
                 "as push_results does.",
                 "print(im.redis.open('redis://127.0.0.1:1', { buffer = '/tmp/imatch_doc_redis', wait_s = 0 "
                 "}):finish().waiting) --> 0"),
};

constexpr Type kTypes[] = {
    describe_type<RedisPusher, pusher_to_string>("Pushes rows to a Redis server.", kMethods),
};

}  // namespace redis_bindings

extern const Module redis_module;
const Module redis_module{"redis", "Search results for other programs.", redis_bindings::kFunctions,
                          redis_bindings::kTypes};

}  // namespace imatch::host
