// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "pointmap/data_folder.h"
#include "pointmap/input.h"
#include "raster/mesh_samples.h"

namespace imatch {

/// What a network sees of a sample, and what it is to say.
struct PointMapExample {
  PointMapInput seen;
  at::Tensor wanted;  ///< [7 layers, R, R], as point_map_target.
};

/// Samples to learn from. May be asked by several threads at once.
class PointMapSamples {
 public:
  virtual ~PointMapSamples() = default;

  /// The ids, sorted. Throws Failure as PointMapFolder::ids.
  virtual std::vector<std::string> ids(const PointMapDataOptions& options) const = 0;
  /// What 'auto' means for these samples.
  virtual std::string feature_kind(const std::vector<std::string>& ids) const = 0;
  virtual Image picture(const std::string& id) const = 0;
  /// Throws Failure (bad_format) where the camera stands inside of the mesh.
  virtual PointMapExample example(const std::string& id, const PointMapFeatures& features, int layers,
                                  int resolution) const = 0;
  /// Throws Failure when something of a sample is missing (not_found) or makes no sense: found now, not after
  /// an hour.
  virtual void require(const std::vector<std::string>& ids, int resolution) const = 0;
};

/// Those of a folder, whose point maps are rasterised as they are needed where they are not there and
/// DualPM's folders tell how (raster/dualpm_scene.h); or of a mesh (a file), rasterised likewise: the ids are
/// its name and a number, the pictures, masks and point maps those that `pointmap raster` writes of it.
/// Throws Failure as PointMapFolder and read_mesh.
std::unique_ptr<const PointMapSamples> open_point_map_samples(const std::string& path,
                                                              const MeshSampleOptions& mesh, int resolution);

}  // namespace imatch
