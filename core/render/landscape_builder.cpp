// SPDX-License-Identifier: Apache-2.0
#include "render/landscape_builder.h"

#include <algorithm>
#include <cmath>

#include "base/stop.h"
#include "render/plane_vector.h"

namespace imatch {

void LandscapeBuilder::build() {
  const double h = land_.size_m() / 2 + 60;
  const Lot all{{{-h, -h}, {h, -h}, {h, h}, {-h, h}}, std::vector(4, Border::open)};
  const int villages = std::max(1, static_cast<int>(land_.size_m() * land_.size_m() / 5e5));
  for (int i = 0; i < villages; ++i)
    villages_.push_back(
        {random_.between(-0.36, 0.36) * land_.size_m(), random_.between(-0.36, 0.36) * land_.size_m()});
  land_.root_ = divide(all, 0, false);
  plant_river();
}

int LandscapeBuilder::divide(const Lot& lot, int depth, bool settled) {
  check_stop();
  const double area = lot.area();
  if (!settled && area < 60000 && depth >= 3)
    for (const Point2 v : villages_) settled = settled || length(plus(lot.centre(), v, -1)) < 150;

  const double enough = settled ? random_.between(620, 1150) : random_.between(9000, 38000);
  const bool large_plot = settled && area < 5200 && random_.chance(0.1);
  if (area < enough || large_plot) return add_parcel(lot, settled);

  // Across the longer extent, a little askew and off the middle.
  const Point2 side = lot.longest_side();
  double low[2] = {1e300, 1e300}, high[2] = {-1e300, -1e300};
  const Point2 axes[2] = {side, across(side)};
  for (const Point2 p : lot.corner)
    for (int k = 0; k < 2; ++k) {
      low[k] = std::min(low[k], dot(axes[k], p));
      high[k] = std::max(high[k], dot(axes[k], p));
    }
  const int k = high[0] - low[0] >= high[1] - low[1] ? 0 : 1;
  const double skew = settled ? 0.05 : 0.2;
  const Point2 normal = unit(plus(axes[k], across(axes[k]), random_.between(-skew, skew)));
  const double middle = dot(normal, lot.centre());
  const double offset = middle + random_.between(-0.16, 0.16) * (high[k] - low[k]);

  Border border = Border::open;
  const double dice = random_.unit();
  if (settled) {
    if (area > 5200)
      border = Border::street;
    else
      border = dice < 0.45 ? Border::hedge : dice < 0.85 ? Border::fence : Border::open;
  } else if (depth < 2)
    border = Border::main_road;
  else if (depth < 4)
    border = dice < 0.35 ? Border::street : dice < 0.8 ? Border::track : Border::hedge;
  else
    border = dice < 0.2    ? Border::track
             : dice < 0.55 ? Border::hedge
             : dice < 0.85 ? Border::fence
                           : Border::open;

  const int index = static_cast<int>(land_.divisions_.size());
  land_.divisions_.push_back({normal, offset, border, {0, 0}});
  for (int s = 0; s < 2; ++s) {
    const int child = divide(cut(lot, normal, offset, s, border), depth + 1, settled);
    land_.divisions_[index].child[s] = child;
  }
  return index;
}

Cover LandscapeBuilder::choose_cover(const Lot& lot, bool settled) {
  if (settled)
    return lot.area() > 2200 ? (random_.chance(0.6) ? Cover::car_park : Cover::meadow) : Cover::garden;
  const double dice = random_.unit();
  if (lot.area() < 13000 && dice < 0.22) return Cover::farmyard;
  if (dice < 0.17) return Cover::green_crop;
  if (dice < 0.31) return Cover::ripe_crop;
  if (dice < 0.44) return Cover::ploughed;
  if (dice < 0.54) return Cover::row_crop;
  if (dice < 0.70) return Cover::meadow;
  if (dice < 0.80) return Cover::mown;
  if (dice < 0.86) return Cover::orchard;
  if (dice < 0.96) return Cover::forest;
  return Cover::pond;
}

int LandscapeBuilder::add_parcel(const Lot& lot, bool settled) {
  Parcel p;
  p.cover = choose_cover(lot, settled);
  p.centre = lot.centre();
  p.inner_m = lot.inset(p.centre);
  p.along = lot.longest_side();
  p.strip_m = static_cast<float>(random_.between(3.0, 9.0));
  p.tramline_m = random_.chance(0.75) ? static_cast<float>(random_.between(15, 30)) : 0.0f;
  p.patchiness = static_cast<float>(random_.between(0.5, 1.5));
  p.seed = random_.bits();
  const auto vary = [&](SurfaceColour c, double spread) {
    const double all = random_.between(1 - spread, 1 + spread);
    return SurfaceColour{static_cast<float>(c.r * all * random_.between(0.94, 1.06)),
                         static_cast<float>(c.g * all),
                         static_cast<float>(c.b * all * random_.between(0.92, 1.08))};
  };
  switch (p.cover) {
    case Cover::green_crop:
      p.colour = vary({96, 122, 62}, 0.18);
      break;
    case Cover::ripe_crop:
      p.colour = vary({186, 164, 108}, 0.12);
      break;
    case Cover::ploughed:
      p.colour = vary({132, 108, 84}, 0.2);
      break;
    case Cover::row_crop:
      p.colour = vary({88, 112, 58}, 0.15);
      break;
    case Cover::meadow:
      p.colour = vary({112, 128, 72}, 0.15);
      break;
    case Cover::mown:
      p.colour = vary({142, 150, 88}, 0.12);
      break;
    case Cover::orchard:
      p.colour = vary({116, 130, 78}, 0.12);
      break;
    case Cover::forest:
      p.colour = vary({58, 70, 40}, 0.1);
      break;
    case Cover::pond:
      p.colour = vary({108, 124, 70}, 0.1);
      break;
    case Cover::farmyard:
      p.colour = vary({158, 148, 130}, 0.1);
      break;
    case Cover::garden:
      p.colour = vary({104, 128, 66}, 0.22);
      break;
    case Cover::car_park:
      p.colour = vary({112, 112, 112}, 0.12);
      break;
  }
  land_.parcels_.push_back(p);
  switch (p.cover) {
    case Cover::garden:
      plant_garden(lot);
      break;
    case Cover::farmyard:
      plant_farmyard(lot);
      break;
    case Cover::car_park:
      plant_car_park(lot);
      break;
    case Cover::orchard:
      plant_orchard(lot, p);
      break;
    case Cover::forest:
      plant_forest(lot);
      break;
    case Cover::meadow:
    case Cover::pond:
      plant_meadow(lot);
      break;
    case Cover::mown:
    case Cover::ripe_crop:
      plant_bales(lot, p);
      break;
    default:
      break;
  }
  plant_borders(lot);
  drive_cars(lot);
  return ~(static_cast<int>(land_.parcels_.size()) - 1);
}

Point2 LandscapeBuilder::turned_to_ground(Point2 flat, Point2 along) const {
  const Point2 a = land_.ground_from_flattened(plus(flat, along, -4));
  const Point2 b = land_.ground_from_flattened(plus(flat, along, 4));
  return unit(plus(b, a, -1));
}

bool LandscapeBuilder::add_block(Block::Kind kind, Point2 flat, Point2 along, double len, double width,
                                 double height, SurfaceColour colour) {
  const Point2 ground = land_.ground_from_flattened(flat);
  if (land_.river_distance(ground) < len / 2 + 2) return false;
  land_.blocks_.push_back({kind, ground, turned_to_ground(flat, along), static_cast<float>(len / 2),
                           static_cast<float>(width / 2), static_cast<float>(height), colour,
                           random_.bits()});
  return true;
}

bool LandscapeBuilder::add_tree(Point2 flat, double radius, SurfaceColour colour) {
  const Point2 ground = land_.ground_from_flattened(flat);
  if (land_.river_distance(ground) < 0.5) return false;
  land_.trees_.push_back(
      {ground, static_cast<float>(radius), static_cast<float>(radius * random_.between(1.3, 2.3)), colour});
  return true;
}

SurfaceColour LandscapeBuilder::leaf_colour() {
  const double light = random_.between(0.75, 1.25);
  const double warm = random_.between(-12, 16);
  return {static_cast<float>((72 + warm) * light), static_cast<float>(96 * light),
          static_cast<float>(48 * light)};
}

Point2 LandscapeBuilder::somewhere_in(const Lot& lot) {
  const Point2 c = lot.centre();
  const Point2 a = lot.corner[random_.below(static_cast<int>(lot.corner.size()))];
  const Point2 b = lot.corner[random_.below(static_cast<int>(lot.corner.size()))];
  const double s = random_.unit(), t = random_.unit();
  return plus(plus(c, plus(a, c, -1), s * 0.95), plus(b, c, -1), t * (1 - s) * 0.95);
}

}  // namespace imatch
