// SPDX-License-Identifier: Apache-2.0
#include "base/options.h"

#include "catch.h"

#include "base/error.h"

namespace imatch {
namespace {

constexpr std::string_view kModes[] = {"shorter", "longer", "exact"};

struct Inner {
  double factor = 2;
  static constexpr auto fields = std::tuple{field("factor", &Inner::factor, anything(), "A factor.")};
};

struct Sample {
  int max_features = 1000;
  double match_th = 0.1;
  bool unique = true;
  std::string mode = "shorter";
  std::optional<int> layer;
  std::vector<double> angles_deg;
  Inner inner;
  static constexpr auto fields =
      std::tuple{field("max_features", &Sample::max_features, at_least(1), "Tokens kept."),
                 field("match_th", &Sample::match_th, in_range(-1.0, 1.0), "Smallest similarity."),
                 field("unique", &Sample::unique, anything(), "One to one."),
                 field("mode", &Sample::mode, one_of(kModes), "How to resize."),
                 field("layer", &Sample::layer, at_least(0), "Block."),
                 field("angles_deg", &Sample::angles_deg, in_range(-360, 360), "Angles."),
                 field("inner", &Sample::inner, anything(), "Nested.")};
};

std::string message_of(const Json& table) {
  try {
    parse_options<Sample>(table, "sample");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST_CASE("options keep their defaults where nothing is said") {
  const auto options = parse_options<Sample>(Json::object(), "sample");
  CHECK(options.max_features == 1000);
  CHECK_FALSE(options.layer.has_value());
  CHECK(parse_options<Sample>(Json::array(), "sample").mode == "shorter");
}

TEST_CASE("options are read by name and nested") {
  const auto options = parse_options<Sample>({{"max_features", 7.0},
                                              {"mode", "exact"},
                                              {"layer", 3},
                                              {"angles_deg", {0, 90}},
                                              {"inner", {{"factor", 5}}}},
                                             "sample");
  CHECK(options.max_features == 7);
  CHECK(options.mode == "exact");
  CHECK(options.layer == 3);
  CHECK(options.angles_deg == std::vector<double>{0, 90});
  CHECK(options.inner.factor == 5);
  CHECK(parse_options<Sample>(options_to_json(options), "sample").inner.factor == 5);
}

TEST_CASE("a wrong option says what is allowed") {
  CHECK(message_of({{"max_featurs", 1}}) ==
        "sample: unknown option 'max_featurs'; did you mean 'max_features'?; known: max_features, match_th, "
        "unique, mode, "
        "layer, angles_deg, inner");
  CHECK(message_of({{"max_features", 0}}) == "sample: max_features: expected an integer >= 1, got 0");
  CHECK(message_of({{"max_features", 1.5}}) == "sample: max_features: expected an integer >= 1, got 1.5");
  CHECK(message_of({{"max_features", "12"}}) == "sample: max_features: expected an integer >= 1, got '12'");
  CHECK(message_of({{"max_features", 3e9}}) ==
        "sample: max_features: expected an integer >= 1, got 3000000000");
  CHECK(message_of({{"match_th", NAN}}) == "sample: match_th: expected a number in [-1, 1], got nan");
  CHECK(message_of({{"unique", 1}}) == "sample: unique: expected true or false, got 1");
  CHECK(message_of({{"mode", "shortr"}}) ==
        "sample: mode: expected 'shorter', 'longer' or 'exact', got 'shortr'; did you mean 'shorter'?");
  CHECK(message_of({{"angles_deg", {0, 400}}}) ==
        "sample: angles_deg[2]: expected a number in [-360, 360], got 400");
  CHECK(message_of({{"inner", {{"factr", 1}}}}) ==
        "sample: inner: unknown option 'factr'; did you mean 'factor'?; known: factor");
  CHECK(message_of("text") == "sample: expected a table of options, got 'text'");
}

TEST_CASE("the description lists type, range, default and meaning") {
  const auto list = describe_options<Sample>();
  REQUIRE(list.size() == 7);
  CHECK(list[0].type == "integer");
  CHECK(list[0].allowed == ">= 1");
  CHECK(list[0].default_value == 1000);
  CHECK(list[3].allowed == "'shorter', 'longer' or 'exact'");
  CHECK(list[4].default_value.is_null());
  CHECK(list[5].type == "list of number");
}

}  // namespace
}  // namespace imatch
