// SPDX-License-Identifier: Apache-2.0
#include "evaluation/placed_query.h"

#include "catch.h"

#include "base/error.h"
#include "base/file.h"
#include "io/json_file.h"
#include "scratch.h"

using namespace imatch;
using testing::Scratch;

namespace {

std::vector<PlacedQuery> two_queries() {
  PlacedQuery both{
      "a <b> & \"c\"\x01.jpg", LatLon{46.5, 8.25}, LatLon{46.501, 8.251}, "r\xff.jpg", 123.456, {}};
  both.properties = {{"found", true}, {"heading_deg", 12.5}};
  return {both,
          {"none.jpg", std::nullopt, LatLon{-10, -170}, "", std::numeric_limits<double>::quiet_NaN(), {}}};
}

}  // namespace

TEST_CASE("GeoJSON holds points and lines, longitude first") {
  const Scratch scratch;
  const std::string path = scratch / "queries.geojson";
  write_geojson(path, two_queries());
  const Json json = read_json(path);
  CHECK(json["type"] == "FeatureCollection");
  const Json& features = json["features"];
  REQUIRE(features.size() == 4);
  CHECK(features[0]["properties"]["kind"] == "query");
  CHECK(features[0]["geometry"]["coordinates"] == Json{8.25, 46.5});
  CHECK(features[0]["properties"]["query"] == "a <b> & \"c\"\x01.jpg");
  CHECK(features[1]["properties"]["kind"] == "prediction");
  CHECK(features[1]["properties"]["found"] == true);
  CHECK(features[1]["properties"]["predicted"] == "r\xef\xbf\xbd.jpg");
  CHECK_FALSE(features[0]["properties"].contains("found"));
  CHECK(features[2]["geometry"]["type"] == "LineString");
  CHECK(features[2]["geometry"]["coordinates"][1] == Json{8.251, 46.501});
  CHECK(features[2]["properties"]["error_m"] == 123.456);
  CHECK(features[3]["properties"]["error_m"].is_null());
}

TEST_CASE("KML holds nothing that XML cannot") {
  const Scratch scratch;
  const std::string path = scratch / "queries.kml";
  write_kml(path, two_queries());
  const std::string text = read_file(path);
  CHECK_THAT(text, Catch::Contains("<name>a &lt;b&gt; &amp; \"c\"\xef\xbf\xbd.jpg</name>"));
  CHECK_THAT(text, Catch::Contains("<name>r\xef\xbf\xbd.jpg</name>"));
  CHECK_THAT(text, Catch::Contains(": 123.5 m</name><styleUrl>#error</styleUrl>"));
  CHECK_THAT(text, Catch::Contains("<name>none.jpg</name><styleUrl>#prediction</styleUrl>"));
  CHECK_THAT(text, Catch::Contains("<coordinates>8.25,46.5,0 8.251,46.501,0</coordinates>"));
  for (const char c : text) CHECK((static_cast<unsigned char>(c) >= 0x20 || c == '\n'));
}

TEST_CASE("No queries make whole files, and a folder that is not there is a failure") {
  const Scratch scratch;
  write_geojson(scratch / "e.geojson", {});
  CHECK(read_json(scratch / "e.geojson")["features"].empty());
  write_kml(scratch / "e.kml", {});
  CHECK_THAT(read_file(scratch / "e.kml"), Catch::EndsWith("</Document></kml>\n"));
  CHECK_THROWS_AS(write_kml(scratch / "e.kml/below_a_file.kml", {}), Failure);
}

TEST_CASE("A query is read from an object, and what is wrong is named") {
  const PlacedQuery q = placed_query_from(
      {{"query", "a"}, {"predicted", {{"latitude_deg", 1}, {"longitude_deg", 2}}}, {"error_m", 3}}, "f");
  CHECK(q.query == "a");
  CHECK_FALSE(q.truth);
  CHECK(q.predicted->longitude_deg == 2);
  CHECK(q.error_m == 3);
  CHECK_THROWS_WITH(placed_query_from({{"query", 1}}, "f"), "f: a query has no string 'query'");
  CHECK_THROWS_WITH(placed_query_from({{"query", "a"}, {"truth", {{"latitude_deg", 1}}}}, "f"),
                    "f: truth has no number 'longitude_deg'");
  CHECK_THROWS_AS(
      placed_query_from({{"query", "a"}, {"truth", {{"latitude_deg", 91}, {"longitude_deg", 0}}}}, "f"),
      Error);
}
