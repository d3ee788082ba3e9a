// SPDX-License-Identifier: Apache-2.0
#include "pointmap/samples.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <mutex>

#include "base/error.h"
#include "image/decode.h"
#include "mesh/mesh_file.h"
#include "pointmap/target.h"
#include "raster/dualpm_scene.h"
#include "raster/mesh_view.h"

namespace imatch {
namespace {

/// Meshes that samples share, each read once.
class SharedMeshes {
 public:
  std::shared_ptr<const RiggedMesh> open(const std::string& path) const {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<const RiggedMesh>& mesh = meshes_[path];
    if (!mesh) mesh = std::make_shared<const RiggedMesh>(read_mesh(path));
    return mesh;
  }

 private:
  mutable std::mutex mutex_;
  mutable std::map<std::string, std::shared_ptr<const RiggedMesh>> meshes_;
};

constexpr double kFar = 30;  // as the command has it

MeshViewOptions view_options(int resolution, int layers, double scale) {
  MeshViewOptions options;
  options.width = options.height = resolution;
  options.layers = layers;
  options.far_z = kFar;
  options.scale = scale;
  return options;
}

void require_outside(const MeshView& view, const std::string& id) {
  if (camera_is_inside(view))
    throw Failure(code::kBadFormat,
                  fmt::format("the sample '{}': the camera stands inside of the mesh; exclude it", id));
}

/// What has no point map of the resolution is rasterised when it is asked for, from the scene that DualPM's
/// folders tell.
class FolderSamples : public PointMapSamples {
 public:
  explicit FolderSamples(const std::string& root) : root_(root), folder_(root) {}

  std::vector<std::string> ids(const PointMapDataOptions& options) const override {
    return folder_.ids(options);
  }
  std::string feature_kind(const std::vector<std::string>& ids) const override {
    if (folder_.has_features(ids.front(), ".png")) return "png";
    return folder_.has_features(ids.front(), ".npy") ? "npy" : "rgb";
  }
  Image picture(const std::string& id) const override { return open_image(folder_.image(id)); }

  PointMapExample example(const std::string& id, const PointMapFeatures& features, int layers,
                          int resolution) const override {
    const std::string& kind = features.options().kind;
    const std::string file = kind == "png"   ? folder_.features(id, ".png")
                             : kind == "npy" ? folder_.features(id, ".npy")
                                             : folder_.image(id);
    return {point_map_input(features.load(file), mask_of_picture(open_image(folder_.mask(id))), resolution),
            target(id, layers, resolution)};
  }

  void require(const std::vector<std::string>& ids, int resolution) const override {
    const auto require_file = [](const std::string& path, const std::string& id) {
      if (!std::filesystem::exists(path))
        throw Failure(code::kNotFound,
                      fmt::format("{}: no such file, which the sample '{}' needs", path, id));
    };
    for (const std::string& id : ids) {
      require_file(folder_.mask(id), id);
      if (is_rasterised(id, resolution)) continue;
      if (!has_dualpm_scene(root_, id)) require_file(folder_.point_map(id, resolution), id);
      view_of_scene(id, 1, 1);  // one pixel is enough to find what is wrong
    }
  }

 private:
  bool is_rasterised(const std::string& id, int resolution) const {
    return std::filesystem::exists(folder_.point_map(id, resolution));
  }
  at::Tensor target(const std::string& id, int layers, int resolution) const {
    if (is_rasterised(id, resolution) || !has_dualpm_scene(root_, id))
      return point_map_target(folder_.point_map(id, resolution), layers, resolution);
    return point_map_target(point_layers(view_of_scene(id, layers, resolution), "opengl"), layers);
  }
  MeshView view_of_scene(const std::string& id, int layers, int resolution) const {
    const DualPmScene scene = read_dualpm_scene(root_, id, resolution);
    const auto mesh = meshes_.open(scene.mesh);
    const auto posed = posed_positions(*mesh, pose_of_rows(mesh->rig, scene.poses, id + ": poses"));
    MeshView view = view_of(mesh, posed, scene.camera, view_options(resolution, layers, 1));
    require_outside(view, id);
    return view;
  }

  std::string root_;
  PointMapFolder folder_;
  SharedMeshes meshes_;
};

/// Rasterised when they are asked for.
class RasterisedSamples : public PointMapSamples {
 public:
  RasterisedSamples(const std::string& path, const MeshSampleOptions& options, int resolution)
      : path_(path),
        resolution_(resolution),
        options_(options),
        mesh_(std::make_shared<const RiggedMesh>(read_mesh(path))) {
    if (mesh_->mesh.triangles.empty())
      throw Failure(code::kBadFormat, path + ": points without triangles; nothing can be rendered");
    cameras_ = cameras_around(*mesh_, options_, resolution, resolution);
  }

  std::vector<std::string> ids(const PointMapDataOptions& options) const override {
    std::set<std::string> all;
    for (int number = 1; number <= options_.count; ++number) all.insert(id_of(number));
    return chosen_ids(all, options, path_);
  }
  std::string feature_kind(const std::vector<std::string>&) const override { return "rgb"; }
  Image picture(const std::string& id) const override { return rendered(view(id, 1)); }

  PointMapExample example(const std::string& id, const PointMapFeatures& features, int layers,
                          int resolution) const override {
    const MeshView seen = view(id, layers);
    return {point_map_input(features.of_picture(rendered(seen)), mask_of_picture(mask_of(seen)), resolution),
            point_map_target(point_layers(seen, "opengl"), layers)};
  }

  void require(const std::vector<std::string>&, int) const override {}

 private:
  std::string id_of(int number) const {
    return fmt::format("{}_{:06}", std::filesystem::path(path_).stem().string(), number);
  }

  MeshView view(const std::string& id, int layers) const {
    int number = 0;
    std::from_chars(id.data() + id.rfind('_') + 1, id.data() + id.size(), number);
    const PinholeCamera& camera = cameras_.at(static_cast<std::size_t>(number - 1));
    const RigPose pose = pose_of(mesh_->rig, drawn_pose(mesh_->rig, options_, number));
    MeshView view = view_of(mesh_, posed_positions(*mesh_, pose), camera,
                            view_options(resolution_, layers, options_.scale));
    require_outside(view, id);
    return view;
  }

  std::string path_;
  int resolution_;
  MeshSampleOptions options_;
  std::shared_ptr<const RiggedMesh> mesh_;
  std::vector<PinholeCamera> cameras_;
};

}  // namespace

std::unique_ptr<const PointMapSamples> open_point_map_samples(const std::string& path,
                                                              const MeshSampleOptions& mesh, int resolution) {
  if (std::filesystem::is_regular_file(path))
    return std::make_unique<RasterisedSamples>(path, mesh, resolution);
  return std::make_unique<FolderSamples>(path);
}

}  // namespace imatch
