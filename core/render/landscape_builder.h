// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "geometry/planar.h"
#include "render/landscape.h"
#include "render/lot.h"
#include "render/random.h"

namespace imatch {

/// Lays out a Landscape: divides the land, decides what grows or stands where, and plants it.
class LandscapeBuilder {
 public:
  explicit LandscapeBuilder(Landscape& land) : land_(land), random_(hash_of(land.seed(), 1)) {}
  void build();

 private:
  int divide(const Lot& lot, int depth, bool settled);
  int add_parcel(const Lot& lot, bool settled);
  Cover choose_cover(const Lot& lot, bool settled);

  void plant_garden(const Lot& lot);
  void plant_farmyard(const Lot& lot);
  void plant_car_park(const Lot& lot);
  void plant_orchard(const Lot& lot, const Parcel& parcel);
  void plant_forest(const Lot& lot);
  void plant_meadow(const Lot& lot);
  void plant_bales(const Lot& lot, const Parcel& parcel);
  void plant_borders(const Lot& lot);
  void plant_river();
  void drive_cars(const Lot& lot);

  Point2 turned_to_ground(Point2 flat, Point2 along) const;
  bool add_block(Block::Kind kind, Point2 flat, Point2 along, double length, double width, double height,
                 SurfaceColour colour);
  bool add_tree(Point2 flat, double radius, SurfaceColour colour);
  SurfaceColour leaf_colour();
  Point2 somewhere_in(const Lot& lot);

  Landscape& land_;
  Random random_;
  std::vector<Point2> villages_;
};

}  // namespace imatch
