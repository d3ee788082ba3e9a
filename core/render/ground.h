// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

#include "geo/local_frame.h"
#include "geometry/ground_camera.h"
#include "render/view.h"

namespace imatch {

/// Bounds in metres east (x) and north (y) of the ground's origin.
struct GroundExtent {
  double west_m = 0;
  double south_m = 0;
  double east_m = 0;
  double north_m = 0;
};

/// A flat surface with a colour at every point of its extent: a synthetic scene or a map.
class Ground {
 public:
  virtual ~Ground() = default;

  virtual GroundExtent extent() const = 0;
  /// Ties the metric frame to the Earth.
  virtual const LocalFrame& frame() const = 0;
  /// Metres a texel at the finest stored level: views much finer than this are only enlarged.
  virtual double gsd_m() const = 0;
  /// One line that says which ground this is, for reports: "world(seed=1, size_m=1280)".
  virtual std::string name() const = 0;
  /// Hash of everything its views depend on: the same digest, the same pictures.
  virtual std::string digest() const = 0;

  /// What the camera sees, area-averaged over each pixel's footprint. Outside the extent, in holes of a map
  /// and above the horizon the view is invalid. Throws Failure when a map cannot be read, Interrupted on a
  /// stop. May be called from several threads.
  virtual View view(const CameraOptions& camera) const = 0;

  /// Memory that its tiles take now; it grows with what has been seen, up to the cache's limit.
  virtual std::size_t tile_bytes() const = 0;
};

}  // namespace imatch
