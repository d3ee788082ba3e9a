// SPDX-License-Identifier: Apache-2.0
#include "base/lru.h"

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <thread>
#include "catch.h"

namespace imatch {
namespace {

TEST_CASE("what was used least recently goes first") {
  Lru<std::string, int> lru(3);
  for (const char* key : {"a", "b", "c"}) CHECK(lru.insert(key, key[0]).empty());
  REQUIRE(lru.find("a"));
  CHECK(*lru.find("a") == 'a');
  CHECK(lru.contains("b"));  // asking whether it is there is no use of it
  const auto dropped = lru.insert("d", 'd');
  REQUIRE(dropped.size() == 1);
  CHECK(dropped[0] == std::pair<std::string, int>("b", 'b'));
  CHECK_FALSE(lru.find("b"));
  CHECK(lru.size() == 3);
  CHECK(lru.insert("a", 0).empty());
  CHECK(*lru.find("a") == 'a');  // the first is kept
  lru.clear();
  CHECK(lru.size() == 0);
  CHECK_FALSE(lru.find("a"));
}

TEST_CASE("a limit of costs: one large value drops several, one too large drops itself alone") {
  Lru<int, std::string> lru(100);
  for (int i = 0; i < 4; ++i) CHECK(lru.insert(i, "v", 25).empty());
  CHECK(lru.cost() == 100);
  const auto dropped = lru.insert(4, "w", 60);
  REQUIRE(dropped.size() == 3);
  for (int i = 0; i < 3; ++i) CHECK(dropped[static_cast<std::size_t>(i)].first == i);
  CHECK(lru.cost() == 85);
  const auto itself = lru.insert(5, "too large", 101);
  REQUIRE(itself.size() == 1);
  CHECK(itself[0].second == "too large");
  CHECK(lru.contains(4));
  CHECK(lru.cost() == 85);
}

TEST_CASE("a wild order of uses agrees with a list that is searched from end to end") {
  constexpr std::size_t kLimit = 50;
  Lru<int, int> lru(kLimit);
  std::vector<std::pair<int, std::size_t>> expected;  // keys with their costs, the latest use last
  std::mt19937 random(7);
  for (int round = 0; round < 5000; ++round) {
    const int key = static_cast<int>(random() % 30);
    const std::size_t cost = 1 + random() % 20;
    const auto at =
        std::find_if(expected.begin(), expected.end(), [&](const auto& item) { return item.first == key; });
    const int* found = lru.find(key);
    REQUIRE((found != nullptr) == (at != expected.end()));
    if (found) {
      CHECK(*found == key);
      std::rotate(at, at + 1, expected.end());
      continue;
    }
    expected.emplace_back(key, cost);
    std::vector<int> gone;
    const auto sum = [&] {
      std::size_t total = 0;
      for (const auto& item : expected) total += item.second;
      return total;
    };
    while (sum() > kLimit) gone.push_back(expected.front().first), expected.erase(expected.begin());
    std::vector<int> dropped;
    for (const auto& item : lru.insert(key, key, cost)) dropped.push_back(item.first);
    REQUIRE(dropped == gone);
    REQUIRE(lru.cost() == sum());
    REQUIRE(lru.size() == expected.size());
  }
}

TEST_CASE(
    "threads share one: every value found is its key's, and what is dropped lives on with its holders") {
  SharedLru<int, std::string> lru(1000);
  const auto held = std::make_shared<const std::string>("held");
  lru.insert(-1, held, 1000);
  std::vector<std::thread> threads;
  std::array<bool, 4> right{};
  for (unsigned seed = 0; seed < right.size(); ++seed)
    threads.emplace_back([&, seed] {
      std::mt19937 random(seed);
      bool ok = true;
      for (int round = 0; round < 2000; ++round) {
        const int key = static_cast<int>(random() % 50);
        if (const auto found = lru.find(key))
          ok = ok && *found == std::to_string(key);
        else
          lru.insert(key, std::make_shared<const std::string>(std::to_string(key)), 50);
      }
      right[seed] = ok;
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(right == std::array<bool, 4>{true, true, true, true});
  CHECK(lru.cost() <= 1000);
  CHECK_FALSE(lru.find(-1));
  CHECK(*held == "held");
}

}  // namespace
}  // namespace imatch
