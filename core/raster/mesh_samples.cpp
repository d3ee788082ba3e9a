// SPDX-License-Identifier: Apache-2.0
#include "raster/mesh_samples.h"

#include "geometry/camera_poses.h"
#include "mesh/sampled_pose.h"

namespace imatch {
namespace {

constexpr std::int64_t kSeedStep = 1000003;  // so that numbers of one seed are not those of the next
constexpr std::string_view kNoClip = "none";

}  // namespace

std::vector<PinholeCamera> cameras_around(const RiggedMesh& mesh, const MeshSampleOptions& options, int width,
                                          int height) {
  const MeshBox box = box_of(posed_positions(mesh, rest_pose(mesh.rig)));
  const double extent = box_of(mesh.mesh.positions).extent();
  const double scale = options.scale == 0 && extent > 0 ? 1 / extent : options.scale;
  CameraRingOptions ring;
  ring.width = width;
  ring.height = height;
  ring.focal_mm = options.focal_mm;
  ring.count = options.count;
  ring.distance = options.distance * scale * box.extent();
  ring.elevation_from_deg = options.elevation_from_deg;
  ring.elevation_to_deg = options.elevation_to_deg;
  for (std::size_t axis = 0; axis < 3; ++axis)
    ring.target[axis] = scale * (static_cast<double>(box.low[axis]) + box.high[axis]) / 2;
  ring.seed = options.seed;
  return camera_ring(ring);
}

DrawnPose drawn_pose(const Rig& rig, const MeshSampleOptions& options, int number) {
  const std::int64_t seed = options.seed * kSeedStep + number;
  if (options.bend_deg > 0) return {"", 0, options.bend_deg, seed};
  if (options.clip == kNoClip || (options.clip.empty() && rig.clips.empty())) return {};
  const RigMoment moment = sampled_moment(rig, options.clip, static_cast<std::uint64_t>(seed));
  return {moment.clip, moment.time_s};
}

RigPose pose_of(const Rig& rig, const DrawnPose& drawn) {
  if (drawn.bend_deg > 0) return sampled_pose(rig, drawn.bend_deg, static_cast<std::uint64_t>(drawn.seed));
  return drawn.clip.empty() ? rest_pose(rig) : pose_at(rig, drawn.clip, drawn.time_s);
}

}  // namespace imatch
