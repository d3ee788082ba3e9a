// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "base/field.h"
#include "geometry/ground_camera.h"
#include "render/ground.h"

namespace imatch {

/// Of the cameras that stand for tiles and poses: any does, since they look straight down on a plane.
inline constexpr double kTileFieldOfViewDeg = 60;

/// How a map is cut into tiles, each the ground that one photo could show.
struct TileOptions {
  double width_m = 0;
  std::vector<double> scales{0.77, 1, 1.3};
  double overlap = 0.7;
  double heading_step_deg = 30;
  double min_coverage = 0.5;
  int chunk_tokens = 96;

  using Self = TileOptions;
  static constexpr auto fields = std::tuple{
      field("width_m", &Self::width_m, in_range(0.1, 1e5),
            "Width of the ground that a photo shows, m (geo.ground_width_m gives it from altitude and field "
            "of view)."),
      field("scales", &Self::scales, in_range(0.05, 20),
            "Tile widths as multiples of width_m; three of them cover a width known to 30 %."),
      field("overlap", &Self::overlap, in_range(0, 0.98),
            "Share of its shorter side that a tile has in common with its neighbour."),
      field("heading_step_deg", &Self::heading_step_deg, in_range(1, 360),
            "Angle between the headings at which the map is seen; 360: north only."),
      field("min_coverage", &Self::min_coverage, in_range(0.01, 1),
            "Smallest share of a tile's tokens that the map must cover."),
      field("chunk_tokens", &Self::chunk_tokens, in_range(1, 4096),
            "Side of the pictures of the map that go forward, in tokens, when the backbone's tokens depend "
            "on their "
            "neighbourhood only: tiles that overlap are then cut from one picture. Other backbones see each "
            "tile alone.")};
};

/// The token grid of a photo, and the side of a token in pixels of the picture that the network sees.
struct PhotoGrid {
  int rows = 0;
  int cols = 0;
  int token_px = 0;
};

/// One picture of the map, straight down, and the tiles in it: tile (i, j) begins at token (row i * step,
/// column j * step).
struct MapChunk {
  CameraOptions camera;
  double tile_width_m = 0;
  int rows = 0;  ///< Tokens.
  int cols = 0;
  int tile_rows = 0;  ///< Tiles one below another.
  int tile_cols = 0;
  int step = 1;  ///< Tokens.
};

/// Chunks whose tiles have their centres on a lattice over the extent, for every scale and heading; the
/// lattice is rotated with the heading. `whole` false: one tile a chunk. Throws Error for a width that is not
/// set and for more than 10^7 tiles.
std::vector<MapChunk> lay_chunks(const GroundExtent& extent, const PhotoGrid& photo,
                                 const TileOptions& options, bool whole);

}  // namespace imatch
