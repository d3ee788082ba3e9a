// SPDX-License-Identifier: Apache-2.0
#include "evaluation/ground_truth.h"

#include <random>
#include "catch.h"

#include "base/error.h"
#include "base/file.h"
#include "evaluation/position_tree.h"
#include "scratch.h"
#include "test_data.h"

namespace imatch {
namespace {

using testing::Scratch;

TEST_CASE("UTM coordinates become latitude and longitude") {
  // Values of the conversion by the United States' National Geodetic Survey's tool, to a millimetre.
  const LatLon equator = latlon_from_utm(500000, 0, 31, 'N');
  CHECK(equator.latitude_deg == Approx(0).margin(1e-9));
  CHECK(equator.longitude_deg == Approx(3));
  const LatLon paris = latlon_from_utm(448251.795, 5411932.678, 31, 'U');
  CHECK(paris.latitude_deg == Approx(48.8583).margin(2e-4));
  CHECK(paris.longitude_deg == Approx(2.2945).margin(2e-4));
  CHECK(latlon_from_utm(500000, 9000000, 31, 'M').latitude_deg < 0);
  CHECK_THROWS_WITH(latlon_from_utm(500000, 0, 61, 'N'), Catch::Contains("61N"));
  CHECK_THROWS_WITH(latlon_from_utm(500000, 0, 31, 'I'), Catch::Contains("31I"));
}

TEST_CASE("position tables as people write them, and a decimal comma by name") {
  const Scratch scratch;
  const auto position = [](const std::string& path) {
    const auto found = read_positions(path).find("DJI_0001.JPG");
    REQUIRE(found);
    CHECK(found->latitude_deg == 47.1);
    CHECK(found->longitude_deg == 8.2);
  };
  for (const char* text : {"\xef\xbb\xbfname\tLAT\tLon\r\nDJI_0001.JPG\t+47.1\t8.2\r\n",
                           "Photo ; Latitude ; Longitude\n\n DJI_0001.JPG ; 47.1 ; +008.2 \n"}) {
    write_file_atomically(scratch / "t.csv", text);
    position(scratch / "t.csv");
  }
  write_file_atomically(scratch / "t.csv", "name;lat;lon\na.jpg;47,1;8,2\n");
  CHECK_THROWS_WITH(read_positions(scratch / "t.csv"),
                    Catch::Contains("t.csv: row 1: '47,1' has a decimal comma"));
  write_file_atomically(scratch / "t.csv", "name,lat,lon\na.jpg,47,1,8,2\n");
  CHECK_THROWS_WITH(read_positions(scratch / "t.csv"),
                    Catch::Contains("5 fields, expected 3 (decimal commas?"));
  if (const auto data = testing::test_data())
    for (const char* name : {"blank_after_comma", "capital_header", "plus_sign", "semicolon"})
      position(*data + "/odd_inputs/csv_" + name + ".csv");
}

TEST_CASE("a name with UTM coordinates says a position, another does not") {
  const auto position = position_in_name("/data/@0448251.80@5411932.68@31@U@48.8@2.29@x@@@@.jpg");
  REQUIRE(position);
  CHECK(position->latitude_deg == Approx(48.8583).margin(2e-4));
  for (const char* name : {"a.jpg", "@1@2.jpg", "@a@b@31@U@.jpg", "@1@2@31@UU@.jpg", "@@@@@.jpg", "@"})
    CHECK_FALSE(position_in_name(name));
}

TEST_CASE("names are found whole, by file and by stem, unless several share the shorter one") {
  PositionTable table;
  table.add("f/a.jpg", {1, 2});
  table.add("f/b.jpg", {3, 4});
  table.add("g/b.jpg", {5, 6});
  CHECK(table.find("f/a.jpg")->latitude_deg == 1);
  CHECK(table.find("elsewhere/a.jpg")->latitude_deg == 1);
  CHECK(table.find("a.png")->latitude_deg == 1);
  CHECK(table.find("g/b.jpg")->latitude_deg == 5);
  CHECK_FALSE(table.find("b.jpg"));
  CHECK_FALSE(table.find("c.jpg"));
  CHECK_THROWS_AS(table.add("x", {91, 0}), Error);
}

TEST_CASE("an image is found by the frame that a name tells of") {
  PositionTable table;
  table.add("251124_00007.jpg", {1, 2}, PlanePosition{3, 4});
  table.add("other/a_1.jpg", {3, 4});
  table.add("other/a_01.jpg", {5, 6});
  for (const char* name : {"251124_0007.jpg", "/r/251124_0007_rot045_crop50.jpg", "251124_7.png",
                           "GlobalToken_res1024_raw_dinov3_vits16_LVD_251124_0007.npy"})
    CHECK(table.number(name) == 0);
  CHECK(table.plane()[0]->y_m == 4);
  CHECK_FALSE(table.plane()[1]);
  CHECK(table.number("a_1.png") == 1);
  CHECK(table.number("a_001.png") == -1);  // of two the same frame
  for (const char* name : {"251124_70.jpg", "251124_0007_rotten_crop50.jpg", "7.jpg", "251124_.jpg", ""})
    CHECK(table.number(name) == -1);
}

TEST_CASE("the tree finds what going through all finds") {
  std::mt19937 random(3);
  std::uniform_real_distribution<double> small(0, 0.02), latitude(-90, 90), longitude(-180, 180);
  for (const bool is_global : {false, true}) {
    std::vector<LatLon> places;
    for (int i = 0; i < 800; ++i)
      places.push_back(is_global ? LatLon{latitude(random), longitude(random)}
                                 : LatLon{50 + small(random), 8 + small(random)});
    for (int i = 0; i < 50; ++i) places.push_back(places[i]);  // the same place again
    const PositionTree tree(places);
    for (int q = 0; q < 200; ++q) {
      const LatLon at = q < 20      ? places[q]
                        : is_global ? LatLon{latitude(random), longitude(random)}
                                    : LatLon{50 + small(random), 8 + small(random)};
      double best = 1e12;
      std::int64_t found = -1, within = 0;
      const double radius_m = is_global ? 2e6 : 150;
      for (std::size_t i = 0; i < places.size(); ++i) {
        const double d = haversine_m(at, places[i]);
        if (d < best) best = d, found = static_cast<std::int64_t>(i);
        within += d <= radius_m ? 1 : 0;
      }
      CHECK(haversine_m(at, places[tree.nearest(at)]) == Approx(best).margin(1e-6));
      if (q < 20) CHECK(tree.nearest(at) == found);
      CHECK(tree.count_within(at, radius_m) == within);
    }
  }
  CHECK(PositionTree({}).nearest({0, 0}) == -1);
}

}  // namespace
}  // namespace imatch
