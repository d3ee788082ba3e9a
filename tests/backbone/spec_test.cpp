// SPDX-License-Identifier: Apache-2.0
#include "backbone/spec.h"

#include "catch.h"

#include "base/error.h"

namespace {

using imatch::BackboneSpec;
using imatch::format_spec;
using imatch::Json;
using imatch::parse_spec;

TEST_CASE("spec: a specification parses back to itself") {
  const BackboneSpec spec{"dense_sift", {{"step", 8}, {"scale", 0.5}, {"flag", true}, {"mode", "shorter"}}};
  CHECK(format_spec(spec) == "dense_sift step=8 scale=0.5 flag=true mode=shorter");
  CHECK(parse_spec(format_spec(spec)).options == spec.options);
  for (const char* text :
       {"a b.pth", "12", "true", "", "say \"hi\"", "back\\slash", "k=v", "tab\there", "\"", "null"}) {
    const BackboneSpec odd{"x", {{"weights", text}, {"after", 1}}};
    INFO(format_spec(odd));
    CHECK(parse_spec(format_spec(odd)).name == "x");
    CHECK(parse_spec(format_spec(odd)).options == odd.options);
  }
}

TEST_CASE("spec: spaces around parts do not matter") {
  CHECK(format_spec(parse_spec("  dense_sift \t step=4  bin_size=3 ")) == "dense_sift step=4 bin_size=3");
  CHECK(parse_spec("").name.empty());
}

TEST_CASE("spec: what is not key=value is an error naming the part") {
  CHECK_THROWS_WITH(parse_spec("dense_sift step"), Catch::Contains("'step'"));
  CHECK_THROWS_WITH(parse_spec("dense_sift =4"), Catch::Contains("'=4'"));
  CHECK_THROWS_AS(parse_spec("dense_sift step 4"), imatch::Error);
  CHECK_THROWS_WITH(parse_spec("x weights=\"never ends"), Catch::Contains("'weights'"));
}

}  // namespace
