// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include "base/error.h"
#include "bind/mesh_types.h"
#include "bind/types.h"
#include "binding.h"
#include "io/npz.h"
#include "pointmap/clouds.h"
#include "pointmap/evaluate.h"
#include "pointmap/model.h"
#include "pointmap/skeleton.h"
#include "pointmap/target.h"
#include "pointmap/trainee.h"

namespace imatch::host {

template <>
inline constexpr const char* type_name<PointMapModel> = "PointMapModel";
template <>
inline constexpr const char* type_name<PointMapPoints> = "PointMapPoints";
template <>
inline std::size_t native_bytes(const PointMapPoints& points) {
  return static_cast<std::size_t>(points.layer.numel()) * 52;
}

namespace pointmap_bindings {

void warn(const std::string& text) {
  std::fprintf(stderr, "imatch-lua pointmap: %s\n", text.c_str());
}

int train(lua_State* L) {
  const TrainingReport report =
      train_point_map(check_string(L, 1), check_string(L, 2),
                      options<PointMapTrainOptions>(L, 3, "pointmap.train options"), warn);
  return push(L, Json{{"step", report.step},
                      {"loss", report.loss},
                      {"seconds", report.seconds},
                      {"images_per_s", report.images_per_s},
                      {"checkpoint", report.checkpoint},
                      {"log", report.log}});
}

int open(lua_State* L) {
  return push(L, std::make_shared<PointMapModel>(
                     check_string(L, 1), options<PointMapModelOptions>(L, 2, "pointmap.open options")));
}

int target(lua_State* L) {
  const auto layers = static_cast<int>(check_integer(L, 2, 1, 64));
  const auto resolution = static_cast<int>(check_integer(L, 3, 1, 4096));
  return push(L, std::make_shared<PointMapPoints>(
                     points_of_target(point_map_target(check_string(L, 1), layers, resolution))));
}

int describe(lua_State* L) {
  const auto& model = arg<PointMapModel>(L, 1);
  const DualPointMapShape& shape = model.shape();
  return push(L, Json{{"step", model.step()},
                      {"in_channels", shape.in_channels},
                      {"resolution", shape.resolution},
                      {"model_channels", shape.model_channels},
                      {"blocks", shape.blocks},
                      {"layers", shape.layers},
                      {"features", options_to_json(model.features())}});
}

std::string mask_path(lua_State* L, int index) {
  return is_absent(L, index) ? std::string() : check_string(L, index);
}

int points(lua_State* L) {
  const auto& model = arg<PointMapModel>(L, 1);
  const PointMapInput input = model.input(check_string(L, 2), mask_path(L, 3));
  const auto limits = options<PointMapPointOptions>(L, 4, "points options");
  return push(
      L, std::make_shared<PointMapPoints>(model.points(model.predict(input.features), input.mask, limits)));
}

int save_prediction(lua_State* L) {
  const auto& model = arg<PointMapModel>(L, 1);
  const PointMapInput input = model.input(check_string(L, 2), mask_path(L, 3));
  StateDict arrays;
  arrays.add("prediction", model.predict(input.features));
  arrays.add("mask", input.mask);
  write_npz(check_string(L, 4), arrays);
  return 0;
}

int evaluate(lua_State* L) {
  return push(L, evaluate_point_maps(arg<PointMapModel>(L, 1), check_string(L, 2),
                                     options<PointMapEvaluationOptions>(L, 3, "evaluate options")));
}

int model_text(lua_State* L) {
  const DualPointMapShape& shape = arg<PointMapModel>(L, 1).shape();
  return push(L, "PointMapModel(" + std::to_string(shape.resolution) + " px, " +
                     std::to_string(shape.layers) + " layers)");
}

int tensor_of(lua_State* L) {
  const auto& found = arg<PointMapPoints>(L, 1);
  const std::string name = check_string(L, 2);
  if (name == "canonical") return push(L, at::Tensor(found.canonical));
  if (name == "posed") return push(L, at::Tensor(found.posed));
  if (name == "confidence") return push(L, at::Tensor(found.confidence));
  if (name == "layer") return push(L, at::Tensor(found.layer));
  if (name == "pixel") return push(L, at::Tensor(found.pixel));
  throw Error("get: '" + name +
              "' is not allowed; expected 'canonical', 'posed', 'confidence', 'layer' or 'pixel'");
}

int save(lua_State* L) {
  return push(L, Json(write_point_clouds(check_string(L, 2), arg<PointMapPoints>(L, 1),
                                         options<PointCloudFileOptions>(L, 3, "save options"))));
}

int skeleton(lua_State* L) {
  const auto& points = arg<PointMapPoints>(L, 1);
  const auto& mesh = arg<RiggedMesh>(L, 2);
  const SkeletonFit fit =
      fit_skeleton(mesh, points.canonical, points.posed, options<SkeletonOptions>(L, 3, "skeleton options"));
  push(L, std::make_shared<RiggedMesh>(posed_mesh(mesh, fit)));
  Json joints = Json::array();
  for (std::size_t i = 0; i < fit.joints.size(); ++i)
    joints.push_back({{"found", static_cast<bool>(fit.found[i])}, {"matrix", fit.joints[i].m}});
  push(L, Json{{"joints", joints}, {"canonical_error", fit.canonical_error}, {"points", fit.points}});
  return 2;
}

int count(lua_State* L) {
  return push(L, static_cast<std::int64_t>(arg<PointMapPoints>(L, 1).layer.size(0)));
}

int points_text(lua_State* L) {
  return push(L, "PointMapPoints(" + std::to_string(arg<PointMapPoints>(L, 1).layer.size(0)) + ")");
}

constexpr Binding kFunctions[] = {
    bind<train>(
        "train", "pointmap.train(root, folder [, options]) -> table",
        "Trains a dual point map network (Kaye et al., CVPR 2025) on rasterised samples in `root`: "
        "renders/<id>_rgb.png, "
        "masks/<id>_mask.png, features/<id>_feat.png or .npy where there are some, "
        "pointmaps_<resolution>/<id>.npz. Leaves "
        "weights_<step>.pth (torch.load reads them; model_state, optim_state, scheduler_state), losses.csv, "
        "TensorBoard's "
        "events/ and pictures/ in `folder`, and goes on from the newest checkpoint there. Returns step, "
        "loss, seconds, "
        "images_per_s, checkpoint and log. A missing file of a sample, weights of another network and a loss "
        "that is not "
        "finite are failures; Ctrl-C and SIGTERM save first.",
        "local ok, message = im.pointmap.train('no-such-folder', 'run')\n"
        "print(ok, message) --> nil no-such-folder: no folder renders/ (or images/) with <id>_rgb.png",
        describe_options<PointMapTrainOptions>),
    bind<open>(
        "open", "pointmap.open(path [, options]) -> PointMapModel",
        "Opens a checkpoint, ours or the published code's; the network's shape is read off its weights.",
        "print((select(2, im.pointmap.open 'missing.pth'))) --> missing.pth: no such file",
        describe_options<PointMapModelOptions>),
    bind<target>(
        "target", "pointmap.target(path, layers, resolution) -> PointMapPoints",
        "The points of a rasterised sample, of its first layers.",
        "print((select(2, im.pointmap.target('missing.npz', 4, 160)))) --> missing.npz: no such file"),
};

constexpr Binding kModelMethods[] = {
    bind<describe>("describe", "PointMapModel:describe() -> table",
                   "Step, in_channels, resolution, model_channels, blocks, layers and features.",
                   "-- print(model:describe().resolution)\nassert(im.pointmap.open)"),
    bind<points>("points", "PointMapModel:points(path [, mask [, options]]) -> PointMapPoints",
                 "The points of a picture (or its features, where the network was trained on files of them). "
                 "`mask`: path of a "
                 "picture that is 0 where the background is; without it everything may be occupied, which a "
                 "network that was "
                 "trained inside of silhouettes alone has never learned to deny.",
                 "-- local points = model:points('fox_rgb.png', 'fox_mask.png', { confidence = 3 "
                 "})\nassert(im.pointmap.open)",
                 describe_options<PointMapPointOptions>),
    bind<save_prediction>(
        "save_prediction", "PointMapModel:save_prediction(path, mask, npz)",
        "Writes what the network says of a picture as it is: arrays prediction [8 layers, R, R] and mask "
        "[R, R] of an .npz. `mask` may be nil.",
        "-- model:save_prediction('fox_rgb.png', nil, 'fox.npz')\nassert(im.pointmap.open)"),
    bind<evaluate>("evaluate", "PointMapModel:evaluate(root [, options]) -> table",
                   "Compares with rasterised samples: a row each in `samples`, their `mean`, and the `loss` "
                   "beside that of the "
                   "best constant prediction. For canonical_ and posed_: chamfer_l1 (half of the sum of the "
                   "two mean distances "
                   "to the nearest point), chamfer_l2 (the sum of the two mean squared distances), "
                   "chamfer_share (chamfer_l1 "
                   "by the diagonal of the truth's box), fscore_<share> and pck.",
                   "-- print(model:evaluate('data').mean.posed_chamfer_share)\nassert(im.pointmap.open)",
                   describe_options<PointMapEvaluationOptions>),
};

constexpr Binding kPointsMethods[] = {
    bind<tensor_of>(
        "get", "PointMapPoints:get(name) -> Tensor",
        "'canonical' and 'posed' [N, 3], 'confidence' [N], 'layer' [N] from 0, 'pixel' [N, 2]: row, column.",
        "-- print(points:get 'posed')\nassert(im.pointmap.target)"),
    bind<save>("save", "PointMapPoints:save(prefix [, options]) -> list of string",
               "Writes PREFIX_canon.ply and PREFIX_rec.ply, and GLB when asked for. Returns the names.",
               "-- points:save('out/fox', { colour = true })\nassert(im.pointmap.target)",
               describe_options<PointCloudFileOptions>),
    bind<skeleton>(
        "skeleton", "PointMapPoints:skeleton(mesh [, options]) -> Mesh, table",
        "The pose of the mesh's skeleton that explains the points (Kabsch 1976 for each joint): the mesh in "
        "that "
        "pose, and a table with `joints` (found; matrix, 16 numbers row by row, camera from joint), the "
        "`canonical_error` of the points taken back to rest, and how many `points` lay near the mesh. The "
        "mesh must "
        "have the scale of the data that was trained on.",
        "-- local posed = points:skeleton(im.mesh.open 'fox.glb')\nassert(im.pointmap.target)",
        describe_options<SkeletonOptions>),
};

constexpr Type kTypes[] = {
    describe_type<PointMapModel, model_text>("A trained point map network.", kModelMethods),
    describe_type<PointMapPoints, points_text, count>(
        "Points in space, canonical and posed, layer by layer. #points is "
        "their number.",
        kPointsMethods),
};

}  // namespace pointmap_bindings

extern const Module pointmap_module;
const Module pointmap_module{"pointmap",
                             "Dual point maps: from a picture of an animal to its shape in space.",
                             pointmap_bindings::kFunctions, pointmap_bindings::kTypes};

}  // namespace imatch::host
