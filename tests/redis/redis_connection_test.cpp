// SPDX-License-Identifier: Apache-2.0
#include "redis/redis_connection.h"

#include <atomic>
#include <chrono>
#include <regex>
#include "catch.h"

#include "base/error.h"
#include "fake_server.h"

namespace imatch {
namespace {

using testing::FakeServer;

RedisAddress address_of(const FakeServer& server) {
  return parse_redis_url(server.url());
}

std::string code_of(const RedisAddress& address, double timeout_s, const std::vector<std::string>& command) {
  try {
    RedisConnection connection(address, {}, timeout_s);
    connection.call(command);
  } catch (const Failure& failure) {
    return failure.code();
  }
  return "";
}

TEST_CASE("addresses of Redis servers") {
  const RedisAddress plain = parse_redis_url("redis://");
  CHECK((plain.host == "127.0.0.1" && plain.port == 6379 && plain.database == 0 && !plain.tls));
  CHECK((plain.user.empty() && plain.password.empty()));
  const RedisAddress full = parse_redis_url("rediss://me:pass:w@rd@example.org:7000/12");
  CHECK((full.host == "example.org" && full.port == 7000 && full.database == 12 && full.tls));
  CHECK((full.user == "me" && full.password == "pass:w@rd"));
  const RedisAddress encoded = parse_redis_url("redis://al%3aice:p%40ss%2Fw%25@127.0.0.1:6379/0");
  CHECK((encoded.user == "al:ice" && encoded.password == "p@ss/w%" && encoded.host == "127.0.0.1"));
  CHECK(parse_redis_url("redis://:secret@host").password == "secret");
  CHECK(parse_redis_url("redis://:secret@host").user.empty());
  const RedisAddress six = parse_redis_url("redis://[::1]:7001/");
  CHECK((six.host == "::1" && six.port == 7001 && six.database == 0));
  CHECK(parse_redis_url("redis://[fe80::2]").host == "fe80::2");
  CHECK(parse_redis_url("redis://[fe80::2]").port == 6379);
  for (const auto& [url, part] : {std::pair{"http://host", "no Redis address"},
                                  {"host:6379", "no Redis address"},
                                  {"redis://host:0", "port"},
                                  {"redis://host:65536", "port"},
                                  {"redis://host:12x", "port"},
                                  {"redis://u:50%@host", "hexadecimal"},
                                  {"redis://u:%4x@host", "hexadecimal"},
                                  {"redis://host/x", "database"},
                                  {"redis://host/-1", "database"}}) {
    INFO(url);
    try {
      parse_redis_url(url);
      FAIL("no error");
    } catch (const Error& error) {
      CHECK(std::string(error.what()).find(part) != std::string::npos);
      // All of it but the password.
      const std::string shown = std::regex_replace(std::string(url), std::regex(":[^:/@]*@"), ":***@");
      CHECK(std::string(error.what()).find(shown) != std::string::npos);
    }
  }
}

TEST_CASE("replies of every kind come in the order of their commands") {
  FakeServer server([](const FakeServer::Command& command) -> std::string {
    if (command[0] == "GET") return command[1] == "none" ? "$-1\r\n" : "$4\r\na\r\nb\r\n";
    if (command[0] == "INCR") return ":-42\r\n";
    if (command[0] == "LIST") return "*3\r\n:1\r\n*1\r\n+in\r\n$0\r\n\r\n";
    if (command[0] == "BAD") return "-ERR no such command\r\n";
    return "+OK\r\n";
  });
  RedisConnection connection(address_of(server), {}, 5);
  for (const auto& command : std::vector<std::vector<std::string>>{{"GET", "key"},
                                                                   {"GET", "none"},
                                                                   {"INCR", "n"},
                                                                   {"LIST"},
                                                                   {"BAD"},
                                                                   {"SET", "k", std::string("\0\n", 2)}})
    connection.append(command);
  const std::vector<RedisReply> replies = connection.exchange();
  REQUIRE(replies.size() == 6);
  using Kind = RedisReply::Kind;
  CHECK((replies[0].kind == Kind::kText && replies[0].text == "a\r\nb"));
  CHECK(replies[1].kind == Kind::kNil);
  CHECK((replies[2].kind == Kind::kInteger && replies[2].integer == -42));
  REQUIRE((replies[3].kind == Kind::kArray && replies[3].elements.size() == 3));
  CHECK(replies[3].elements[1].elements.at(0).text == "in");
  CHECK((replies[4].kind == Kind::kError && replies[4].text == "ERR no such command"));
  CHECK((replies[5].kind == Kind::kStatus && replies[5].text == "OK"));
  CHECK(server.commands("SET").at(0).at(2) == std::string("\0\n", 2));
  CHECK(server.commands("SELECT").at(0).at(1) == "0");
}

TEST_CASE("user, password and database are given before anything else") {
  FakeServer server([](const FakeServer::Command& command) -> std::string {
    if (command[0] == "AUTH")
      return command.back() == "right" ? "+OK\r\n" : "-WRONGPASS invalid password\r\n";
    if (command[0] == "SELECT") return command[1] == "3" ? "+OK\r\n" : "-ERR DB index is out of range\r\n";
    return "+PONG\r\n";
  });
  const auto with = [&](const std::string& user, const std::string& password, int database) {
    RedisAddress address = address_of(server);
    address.user = user;
    address.password = password;
    address.database = database;
    return address;
  };
  CHECK(code_of(with("", "right", 3), 5, {"PING"}).empty());
  CHECK(server.commands("AUTH").back() == FakeServer::Command{"AUTH", "right"});
  CHECK(code_of(with("me", "right", 3), 5, {"PING"}).empty());
  CHECK(server.commands("AUTH").back() == FakeServer::Command{"AUTH", "me", "right"});
  CHECK(code_of(with("", "wrong", 3), 5, {"PING"}) == kRefused);
  CHECK(code_of(with("", "right", 4), 5, {"PING"}) == kRefused);
  CHECK(server.commands("PING").size() == 2);
}

TEST_CASE("a server that is away, is loading, goes away, says nothing or talks nonsense is unreachable") {
  std::atomic<const char*> behaviour = "";
  FakeServer server([&](const FakeServer::Command& command) -> std::string {
    if (command[0] == "SELECT")
      return behaviour.load() == std::string("load") ? "-LOADING the data set\r\n" : "+OK\r\n";
    if (behaviour.load() == std::string("close")) return "";
    if (behaviour.load() == std::string("nonsense")) return "HTTP/1.1 400 Bad Request\r\n";
    std::this_thread::sleep_for(std::chrono::milliseconds(1500));
    return "+late\r\n";
  });
  for (const char* each : {"load", "close", "nonsense", "sleep"}) {
    behaviour = each;
    INFO(each);
    CHECK(code_of(address_of(server), 0.4, {"PING"}) == kUnreachable);
  }
  RedisAddress nobody = address_of(server);
  nobody.port = 1;
  CHECK(code_of(nobody, 1, {"PING"}) == kUnreachable);
  nobody.host = "no.such.host.invalid";
  CHECK(code_of(nobody, 1, {"PING"}) == kUnreachable);
}

}  // namespace
}  // namespace imatch
