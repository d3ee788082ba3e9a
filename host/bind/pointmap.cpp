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
#include "pointmap/point_view.h"
#include "pointmap/points_file.h"
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
  return static_cast<std::size_t>(points.canonical.size(0)) * 76;
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

int read(lua_State* L) {
  return push(L, std::make_shared<PointMapPoints>(read_points(
                     check_string(L, 1), options<PointMapPointOptions>(L, 2, "pointmap.read options"))));
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
  return push(L, tensor_named(arg<PointMapPoints>(L, 1), check_string(L, 2)));
}

int picture(lua_State* L) {
  return push(
      L, point_picture(arg<PointMapPoints>(L, 1), options<PointPictureOptions>(L, 2, "picture options")));
}

int packed(lua_State* L) {
  return push(L, packed_points(arg<PointMapPoints>(L, 1)));
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
  return push(L, static_cast<std::int64_t>(arg<PointMapPoints>(L, 1).canonical.size(0)));
}

int points_text(lua_State* L) {
  return push(L, "PointMapPoints(" + std::to_string(arg<PointMapPoints>(L, 1).canonical.size(0)) + ")");
}

#define IMATCH_EXAMPLE_POINTS                                                                                \
  "local m = im.mesh.new { positions = im.tensor.from_table { { -9, -9, 1 }, { 9, -9, 1 }, { 0, 9, 1 } },\n" \
  "  triangles = im.tensor.from_table { { 0, 1, 2 } } }\n"                                                   \
  "local v = im.raster.view(m, { fx = 20, fy = 20, cx = 8, cy = 8 }, { width = 16, height = 16, layers = 2 " \
  "})\n"                                                                                                     \
  "local root = '/tmp/imatch-lua-examples/pointmap'\n"                                                       \
  "im.raster.write_sample(root .. '/pointmaps_16/a.npz', v:points())\n"
#define IMATCH_EXAMPLE_MODEL                                                                     \
  IMATCH_EXAMPLE_POINTS                                                                          \
  "v:image():save(root .. '/renders/a_rgb.png')\n"                                               \
  "v:mask():save(root .. '/masks/a_mask.png')\n"                                                 \
  "local run = im.pointmap.train(root, root .. '/run', { training = { steps = 1, batch = 1 },\n" \
  "  network = { resolution = 16, model_channels = 8, blocks = 1, layers = 2 } })\n"             \
  "local model = im.pointmap.open(run.checkpoint)\n"
#define IMATCH_EXAMPLE_READ \
  IMATCH_EXAMPLE_POINTS "local points = im.pointmap.read(root .. '/pointmaps_16/a.npz')\n"

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
    bind<target>("target", "pointmap.target(path, layers, resolution) -> PointMapPoints",
                 "The points of a rasterised sample, of its first layers.",
                 IMATCH_EXAMPLE_POINTS "print(im.pointmap.target(root .. '/pointmaps_16/a.npz', 2, 16)) --> "
                                       "PointMapPoints(256)"),
    bind<read>(
        "read", "pointmap.read(path [, options]) -> PointMapPoints",
        "The points of a file, with normals: a rasterised sample (.npz, of either layout; with layout "
        "'layers' "
        "canonical ones alone), what save_prediction wrote, or <id>_rec.ply with <id>_canon.ply beside "
        "it, whose "
        "normals, layer and confidence are there if they were written. Returns nil, message, code as the "
        "readers; "
        "bad_format for another file and for clouds of different sizes.",
        IMATCH_EXAMPLE_READ "print(points, points:get('posed_normal'):get(0, 2)) --> PointMapPoints(256) "
                            "1",
        describe_options<PointMapPointOptions>),
};

constexpr Binding kModelMethods[] = {
    bind<describe>(
        "describe", "PointMapModel:describe() -> table",
        "Step, in_channels, resolution, model_channels, blocks, layers and features.",
        IMATCH_EXAMPLE_MODEL
        "local d = model:describe()\nprint(d.step, d.resolution, d.layers, d.features.kind) --> 1 16 2 "
        "rgb"),
    bind<points>("points", "PointMapModel:points(path [, mask [, options]]) -> PointMapPoints",
                 "The points of a picture (or its features, where the network was trained on files of them). "
                 "`mask`: path of a "
                 "picture that is 0 where the background is; without it everything may be occupied, which a "
                 "network that was "
                 "trained inside of silhouettes alone has never learned to deny.",
                 IMATCH_EXAMPLE_MODEL
                 "local points = model:points(root .. '/renders/a_rgb.png', root .. '/masks/a_mask.png',\n"
                 "  { occupancy = 0, confidence = 0 })\nprint(#points) --> 512",
                 describe_options<PointMapPointOptions>),
    bind<save_prediction>(
        "save_prediction", "PointMapModel:save_prediction(path, mask, npz)",
        "Writes what the network says of a picture as it is: arrays prediction [8 layers, R, R] and mask "
        "[R, R] of an .npz. `mask` may be nil.",
        IMATCH_EXAMPLE_MODEL "model:save_prediction(root .. '/renders/a_rgb.png', nil, root .. '/a.npz')\n"
                             "local shape = im.io.read_npz(root .. '/a.npz').prediction:shape()\n"
                             "print(shape[1], shape[2], shape[3]) --> 16 16 16"),
    bind<evaluate>("evaluate", "PointMapModel:evaluate(root [, options]) -> table",
                   "Compares with rasterised samples: a row each in `samples`, their `mean`, and the `loss` "
                   "beside that of the "
                   "best constant prediction. For canonical_ and posed_: chamfer_l1 (half of the sum of the "
                   "two mean distances "
                   "to the nearest point), chamfer_l2 (the sum of the two mean squared distances), "
                   "chamfer_share (chamfer_l1 "
                   "by the diagonal of the truth's box), fscore_<share> and pck.",
                   IMATCH_EXAMPLE_MODEL
                   "local result = model:evaluate(root, { points = { confidence = 0 } })\n"
                   "print(#result.samples, result.samples[1].id) --> 1 a\n"
                   "assert(result.loss.points > result.loss.constant_points) -- one step is not enough",
                   describe_options<PointMapEvaluationOptions>),
};

constexpr Binding kPointsMethods[] = {
    bind<tensor_of>(
        "get", "PointMapPoints:get(name) -> Tensor",
        "'canonical' and 'posed' [N, 3], 'confidence' [N], 'layer' [N] from 0, 'pixel' [N, 2]: row, column; "
        "'canonical_normal' and 'posed_normal' [N, 3], of length 1, or 0 where a point has no neighbours. "
        "What a "
        "file did not tell is an error.",
        IMATCH_EXAMPLE_READ "print(points:get('pixel'):get(255, 1), points:get('layer'):max()) --> 15 0"),
    bind<save>(
        "save", "PointMapPoints:save(prefix [, options]) -> list of string",
        "Writes PREFIX_canon.ply and PREFIX_rec.ply, and GLB when asked for. Returns the names.",
        IMATCH_EXAMPLE_READ
        "points:save(root .. '/a', { layer = true, normals = true })\n"
        "print(im.pointmap.read(root .. '/a_rec.ply'):get('posed'):max_difference(points:get 'posed')) --> 0",
        describe_options<PointCloudFileOptions>),
    bind<picture>(
        "picture", "PointMapPoints:picture([options]) -> Image",
        "Canonical points on the left, posed ones on the right, turned alike, each fitted into its half. "
        "Seen along -z "
        "with y up, which for posed points is how the camera saw them.",
        IMATCH_EXAMPLE_READ "print(points:picture { width = 64, height = 32, colour = 'layer' }) --> "
                            "Image(64x32)",
        describe_options<PointPictureOptions>),
    bind<packed>(
        "packed", "PointMapPoints:packed() -> table",
        "As a page holds them: count, layers (points of each), and as base64 of little-endian float32 "
        "canonical, posed, "
        "confidence, layer, canonical_normal and posed_normal, where they are known.",
        IMATCH_EXAMPLE_READ "print(points:packed().count, points:packed().layers[1]) --> 256 256"),
    bind<skeleton>(
        "skeleton", "PointMapPoints:skeleton(mesh [, options]) -> Mesh, table",
        "The pose of the mesh's skeleton that explains the points (Kabsch 1976 for each joint): the mesh in "
        "that "
        "pose, in the camera frame and units of the points, and a table with `joints` (found: it has 3 "
        "points that "
        "do not lie on a line; matrix, 16 numbers row by row, camera from joint in units of the mesh), the "
        "`canonical_error` of the points taken back to rest, and how many `points` lay near the mesh.",
        IMATCH_EXAMPLE_READ
        "print((select(2, pcall(points.skeleton, points, m)))) --> ...skeleton: the mesh has no joints",
        describe_options<SkeletonOptions>),
};
#undef IMATCH_EXAMPLE_POINTS
#undef IMATCH_EXAMPLE_MODEL
#undef IMATCH_EXAMPLE_READ

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
