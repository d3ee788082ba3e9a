// SPDX-License-Identifier: Apache-2.0
#include "sweep/canonical.h"

#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <set>
#include "catch.h"

#include "base/error.h"

using namespace imatch;

TEST_CASE("Canonical numbers have one spelling each") {
  CHECK(canonical_number(2.0) == "2");
  CHECK(canonical_number(-0.0) == "0");
  CHECK(canonical_number(0.1) == "0.1");
  CHECK(canonical_number(-1.5e-7) == "-1.5e-07");
  CHECK(canonical_number(9007199254740993.0) == "9007199254740992");
  CHECK(canonical_number(1e300) == "1e+300");
  CHECK_THROWS_AS(canonical_number(std::nan("")), Error);
  CHECK_THROWS_AS(canonical_number(std::numeric_limits<double>::infinity()), Error);
}

TEST_CASE("Every double reads back from its canonical text") {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20000; ++i) {
    const double value = std::bit_cast<double>(random());
    if (std::isfinite(value)) REQUIRE(std::strtod(canonical_number(value).c_str(), nullptr) == value);
  }
}

TEST_CASE("Equal values give equal JSON, whatever their order and number type") {
  const Json a = Json::parse(R"({"b": [1, 2.0, {"y": null, "x": true}], "a": -0.0})");
  const Json b = Json::parse(R"({"a": 0, "b": [1.0, 2, {"x": true, "y": null}]})");
  CHECK(canonical_json(a) == R"({"a":0,"b":[1,2,{"x":true,"y":null}]})");
  CHECK(canonical_json(a) == canonical_json(b));
  CHECK(canonical_json(Json(1)) != canonical_json(Json("1")));
  CHECK(canonical_json(Json::parse(R"(18446744073709551615)")) == "18446744073709551615");
}

TEST_CASE("Text is escaped, and refused in keys when it is not UTF-8") {
  CHECK(canonical_json(Json("a\"\n\x01\xc3\xa9")) == "\"a\\\"\\n\\u0001\xc3\xa9\"");
  CHECK_THROWS_WITH(canonical_json(Json("a\xff")), Catch::Contains("not UTF-8"));
  CHECK(quoted_json("a\xff") == "\"a\xef\xbf\xbd\"");
}

TEST_CASE("The key is the head of the SHA-256 of the canonical text") {
  // printf '{"a":1}' | sha256sum
  CHECK(
      content_key(R"({"a":1})") ==
      std::string("015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862").substr(0, kKeyDigits));
}

TEST_CASE("The seed of a cell depends on the sweep's seed and the key alone, and is exact as a double") {
  std::set<std::int64_t> seeds;
  for (int sweep = 0; sweep < 10; ++sweep)
    for (int cell = 0; cell < 100; ++cell) {
      const std::int64_t seed = cell_seed(sweep, content_key(std::to_string(cell)));
      CHECK(seed == cell_seed(sweep, content_key(std::to_string(cell))));
      CHECK(seed >= 0);
      CHECK(seed < (std::int64_t{1} << 52));
      seeds.insert(seed);
    }
  CHECK(seeds.size() == 1000);
}
