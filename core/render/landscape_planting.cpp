// SPDX-License-Identifier: Apache-2.0
//
// What grows, stands and drives on each kind of lot.
#include <algorithm>
#include <cmath>

#include "render/landscape_builder.h"
#include "render/plane_vector.h"

namespace imatch {
namespace {

constexpr SurfaceColour kRoofs[] = {{164, 92, 70},   {150, 80, 62}, {176, 108, 82},  {120, 72, 60},
                                    {104, 100, 100}, {84, 84, 90},  {138, 122, 108}, {186, 130, 98},
                                    {70, 66, 66},    {142, 96, 84}};
constexpr SurfaceColour kCars[] = {{225, 226, 228}, {205, 207, 210}, {60, 62, 66},    {30, 31, 34},
                                   {128, 30, 32},   {44, 66, 112},   {150, 152, 155}, {235, 235, 232},
                                   {88, 92, 96},    {170, 150, 110}};

}  // namespace

void LandscapeBuilder::plant_garden(const Lot& lot) {
  // The house stands square to the street where there is one.
  Point2 street = lot.longest_side();
  Point2 kerb = lot.centre();
  bool at_street = false;
  for (std::size_t i = 0; i < lot.corner.size(); ++i)
    if (lot.border[i] == Border::street || lot.border[i] == Border::main_road) {
      const Point2 a = lot.corner[i], b = lot.corner[(i + 1) % lot.corner.size()];
      if (length(plus(b, a, -1)) < 8) continue;
      street = unit(plus(b, a, -1));
      kerb = {(a.x + b.x) / 2, (a.y + b.y) / 2};
      at_street = true;
    }
  const Point2 inward = across(street);
  Point2 house = lot.centre();
  if (at_street) house = plus(house, inward, -random_.between(0, 3));
  double len = random_.between(9, 15), width = random_.between(7.5, 10);
  const Point2 axis = random_.chance(0.7) ? street : inward;
  const auto fits = [&] {
    for (const double s : {-0.5, 0.5})
      for (const double t : {-0.5, 0.5})
        if (lot.inset(plus(plus(house, axis, s * len), across(axis), t * width)) < 2.2) return false;
    return true;
  };
  for (int i = 0; i < 5 && !fits(); ++i) len *= 0.88, width *= 0.9;
  const bool built = fits() && len > 6;
  const SurfaceColour roof = kRoofs[random_.below(10)];
  if (built) {
    if (at_street) {
      const double far = dot(plus(house, kerb, -1), inward);
      const Point2 beside =
          plus(plus(kerb, street, dot(plus(house, kerb, -1), street) + random_.between(-4, 4)), inward,
               far / 2 + 1);
      const SurfaceColour paved =
          random_.chance(0.5) ? SurfaceColour{150, 146, 140} : SurfaceColour{128, 124, 120};
      add_block(Block::Kind::drive, beside, inward, far, 3.2, 0, paved);
      if (random_.chance(0.6))
        add_block(Block::Kind::car, beside, inward, 4.4, 1.8, 1.4, kCars[random_.below(10)]);
    }
    add_block(Block::Kind::drive, plus(house, inward, width * 0.5 + 1.6), street, random_.between(4, 8), 4, 0,
              SurfaceColour{168, 158, 146} * static_cast<float>(random_.between(0.8, 1.1)));
    const double height = random_.between(4, 7.5);
    const Block::Kind kind = random_.chance(0.68)   ? Block::Kind::gable_roof
                             : random_.chance(0.75) ? Block::Kind::hip_roof
                                                    : Block::Kind::flat_roof;
    if (random_.chance(0.35)) {  // an ell
      const Point2 wing =
          plus(plus(house, axis, len * random_.between(-0.25, 0.25)), across(axis), width * 0.5);
      if (lot.inset(wing) > width * 0.45 + 1)
        add_block(kind, wing, across(axis), width * 0.95, width * 0.62, height * 0.8, roof);
    }
    add_block(kind, house, axis, len, width, height, roof);
  }
  const auto clear = [&](Point2 p, double margin) {
    return lot.inset(p) > margin && (!built || length(plus(p, house, -1)) > len * 0.5 + margin + 1);
  };
  if (const Point2 p = somewhere_in(lot); random_.chance(0.55) && clear(p, 2.2))
    add_block(Block::Kind::gable_roof, p, random_.chance(0.5) ? street : inward, random_.between(3, 5.5),
              random_.between(2.4, 3.4), 2.4, kRoofs[random_.below(10)]);
  if (const Point2 p = somewhere_in(lot); random_.chance(0.12) && clear(p, 4))
    add_block(Block::Kind::pool, p, street, random_.between(6, 9), random_.between(3, 4.2), 0,
              SurfaceColour{92, 176, 196});
  for (int i = random_.below(8); i > 0; --i)
    if (const Point2 p = somewhere_in(lot); clear(p, 1.2))
      add_tree(p, random_.between(0.7, 3.4), leaf_colour());
}

void LandscapeBuilder::plant_farmyard(const Lot& lot) {
  const Point2 side = lot.longest_side();
  for (int i = 2 + random_.below(4); i > 0; --i) {
    const Point2 p = somewhere_in(lot);
    const double len = random_.between(14, 36), width = random_.between(9, 16);
    if (lot.inset(p) < len * 0.5 + 3) continue;
    bool apart = true;
    for (const Block& b : land_.blocks_) {
      const Point2 other = land_.flattened(b.centre);
      apart = apart && length(plus(p, other, -1)) > len * 0.5 + b.half_length + 1;
    }
    if (!apart) continue;
    const SurfaceColour roof = random_.chance(0.5) ? SurfaceColour{168, 170, 170} : kRoofs[random_.below(10)];
    add_block(random_.chance(0.8) ? Block::Kind::gable_roof : Block::Kind::flat_roof, p,
              random_.chance(0.7) ? side : across(side), len, width, random_.between(5, 9), roof);
  }
  for (int i = random_.below(5); i > 0; --i)
    add_block(Block::Kind::car, somewhere_in(lot), random_.chance(0.5) ? side : across(side),
              random_.between(4, 8), random_.between(1.9, 2.6), 2.2, kCars[random_.below(10)]);
  for (int i = 4 + random_.below(10); i > 0; --i) {
    const Point2 p = somewhere_in(lot);
    if (lot.inset(p) > 2 && lot.inset(p) < 14) add_tree(p, random_.between(1.5, 4.5), leaf_colour());
  }
}

void LandscapeBuilder::plant_car_park(const Lot& lot) {
  const Point2 side = lot.longest_side();
  const Point2 c = lot.centre();
  double len = random_.between(24, 46), width = random_.between(16, 28);
  const Point2 hall = plus(c, across(side), lot.inset(c) * 0.25);
  for (int i = 0; i < 8; ++i) {
    bool fits = true;
    for (const double s : {-0.5, 0.5})
      for (const double t : {-0.5, 0.5})
        fits = fits && lot.inset(plus(plus(hall, side, s * len), across(side), t * width)) > 4;
    if (fits) break;
    len *= 0.87, width *= 0.87;
  }
  add_block(Block::Kind::flat_roof, hall, side, len, width, random_.between(6, 11),
            SurfaceColour{178, 178, 174} * static_cast<float>(random_.between(0.65, 1.15)));
  for (int row = -4; row <= 4; ++row)
    for (int i = -14; i <= 14; ++i) {
      if (!random_.chance(0.55)) continue;
      const Point2 p = plus(plus(c, side, i * 2.7), across(side), row * 8.5);
      const Point2 off = plus(p, hall, -1);
      if (lot.inset(p) < 6 ||
          (std::abs(dot(off, side)) < len / 2 + 2.5 && std::abs(dot(off, across(side))) < width / 2 + 4))
        continue;
      add_block(Block::Kind::car, plus(p, across(side), random_.between(-0.4, 0.4)), across(side),
                random_.between(3.9, 4.9), 1.8, 1.5, kCars[random_.below(10)]);
    }
}

void LandscapeBuilder::plant_orchard(const Lot& lot, const Parcel& parcel) {
  const double spacing = random_.between(4.2, 6), row = random_.between(5.5, 8);
  const double size = random_.between(1.2, 1.9);
  const int reach = static_cast<int>(160 / spacing);
  for (int j = -reach; j <= reach; ++j)
    for (int i = -reach; i <= reach; ++i) {
      const Point2 p = plus(plus(parcel.centre, parcel.along, i * spacing + random_.between(-0.4, 0.4)),
                            across(parcel.along), j * row + random_.between(-0.4, 0.4));
      if (lot.inset(p) > 5 && !random_.chance(0.07))
        add_tree(p, size * random_.between(0.7, 1.25), leaf_colour());
    }
}

void LandscapeBuilder::plant_forest(const Lot& lot) {
  const double spacing = random_.between(4.2, 5.6);
  const Point2 c = lot.centre();
  double reach = 0;
  for (const Point2 p : lot.corner) reach = std::max(reach, length(plus(p, c, -1)));
  const int n = static_cast<int>(reach / spacing) + 1;
  for (int j = -n; j <= n; ++j)
    for (int i = -n; i <= n; ++i) {
      const Point2 p{c.x + (i + random_.between(-0.45, 0.45)) * spacing,
                     c.y + (j + random_.between(-0.45, 0.45)) * spacing};
      if (lot.inset(p) < 3.5 || random_.chance(0.08)) continue;
      SurfaceColour leaves = leaf_colour();
      if (random_.chance(0.15))
        leaves = SurfaceColour{44, 66, 44} * static_cast<float>(random_.between(0.8, 1.2));  // conifer
      add_tree(p, random_.between(1.8, 4.2), leaves);
    }
}

void LandscapeBuilder::plant_meadow(const Lot& lot) {
  for (int i = random_.below(9); i > 0; --i) {
    const Point2 clump = somewhere_in(lot);
    for (int k = 1 + random_.below(4); k > 0; --k) {
      const Point2 p{clump.x + random_.between(-6, 6), clump.y + random_.between(-6, 6)};
      if (lot.inset(p) > 3) add_tree(p, random_.between(0.8, 4.2), leaf_colour());
    }
  }
}

void LandscapeBuilder::plant_bales(const Lot& lot, const Parcel& parcel) {
  if (!random_.chance(0.5)) return;
  for (int i = 5 + random_.below(25); i > 0; --i)
    if (const Point2 p = somewhere_in(lot); lot.inset(p) > 8)
      add_block(Block::Kind::bale, p, random_.chance(0.6) ? parcel.along : across(parcel.along), 1.6, 1.3,
                1.3, SurfaceColour{196, 178, 124} * static_cast<float>(random_.between(0.85, 1.1)));
}

void LandscapeBuilder::plant_borders(const Lot& lot) {
  for (std::size_t i = 0; i < lot.corner.size(); ++i) {
    const Border border = lot.border[i];
    const bool village = lot.area() < 5200;
    double spacing = 0;  // mean distance between trees
    if (border == Border::hedge)
      spacing = village ? 30 : 14;
    else if (border == Border::main_road)
      spacing = 26;
    else if (border == Border::track)
      spacing = 38;
    else if (border == Border::street)
      spacing = village ? 24 : 34;
    else if (border == Border::fence)
      spacing = 45;
    if (spacing == 0) continue;
    const Point2 a = lot.corner[i], b = lot.corner[(i + 1) % lot.corner.size()];
    const double len = length(plus(b, a, -1));
    const Point2 along = unit(plus(b, a, -1));
    const double off =
        half_width_m(border) + (border == Border::hedge || border == Border::fence ? 0.0 : 3.0);
    for (double t = spacing * random_.unit(); t < len; t += spacing * random_.between(0.2, 1.8)) {
      const double radius = random_.between(1.2, village ? 2.6 : 4.4);
      const Point2 p = plus(plus(a, along, t), across(along), off + radius * 0.5);
      if (lot.inset(p) > 0.5) add_tree(p, radius, leaf_colour());
    }
  }
}

void LandscapeBuilder::drive_cars(const Lot& lot) {
  for (std::size_t i = 0; i < lot.corner.size(); ++i) {
    if (lot.border[i] != Border::main_road && lot.border[i] != Border::street) continue;
    const Point2 a = lot.corner[i], b = lot.corner[(i + 1) % lot.corner.size()];
    const Point2 along = unit(plus(b, a, -1));
    const double spacing = lot.border[i] == Border::main_road ? 130 : 70;
    for (double t = spacing * random_.unit() + 10; t < length(plus(b, a, -1)) - 10;
         t += spacing * random_.between(0.3, 1.7)) {
      const bool lorry = random_.chance(0.1);
      add_block(Block::Kind::car,
                plus(plus(a, along, t), across(along), lot.border[i] == Border::main_road ? 1.7 : 1.5), along,
                lorry ? 9.5 : random_.between(3.9, 4.8), lorry ? 2.4 : 1.8, lorry ? 3.2 : 1.5,
                kCars[random_.below(10)]);
    }
  }
}

void LandscapeBuilder::plant_river() {
  // Alders and willows on the banks: candidates everywhere, kept near the water.
  const double h = land_.size_m() / 2;
  constexpr double kStep = 7;
  const int n = static_cast<int>(land_.size_m() / kStep);
  for (int j = 0; j < n; ++j)
    for (int i = 0; i < n; ++i) {
      const Point2 p{-h + (i + random_.unit()) * kStep, -h + (j + random_.unit()) * kStep};
      const double distance = land_.river_distance(p);
      if (distance < 1.5 || distance > 9 || !random_.chance(0.5)) continue;
      const double radius = random_.between(1.2, 4.0);
      land_.trees_.push_back({p, static_cast<float>(radius),
                              static_cast<float>(radius * random_.between(1.3, 2.2)), leaf_colour()});
    }
}

}  // namespace imatch
