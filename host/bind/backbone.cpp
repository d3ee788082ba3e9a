// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "backbone/backbone.h"
#include "backbone/dtype_drift.h"
#include "backbone/extract.h"
#include "backbone/network_backbone.h"
#include "backbone/rotations.h"
#include "base/error.h"
#include "bind/image_list.h"
#include "bind/types.h"
#include "binding.h"

namespace imatch::host {

int backbone_features(lua_State* L);  // also Image:features

namespace backbone_bindings {

Json options_at(lua_State* L, int index) {
  return is_absent(L, index) ? Json::object() : to_json(L, index, "backbone options");
}

/// A Backbone, or the name of one with its options behind it.
std::shared_ptr<const Backbone> backbone_at(lua_State* L, int index) {
  if (is<Backbone>(L, index)) return shared_arg<Backbone>(L, index);
  return open_backbone(check_string(L, index), options_at(L, index + 1));
}

/// One Features for an image, a list of them for a list.
int push_features(lua_State* L, const Backbone& backbone, int images_index) {
  const bool single = is<Image>(L, images_index);
  const auto list = extract_features(backbone, check_images(L, images_index));
  if (single) return push(L, list.at(0));
  lua_createtable(L, static_cast<int>(list.size()), 0);
  for (std::size_t i = 0; i < list.size(); ++i) {
    push(L, list[i]);
    lua_rawseti(L, -2, static_cast<int>(i) + 1);
  }
  return 1;
}

int list(lua_State* L) {
  Json names = Json::array();
  for (const BackboneKind& kind : backbone_kinds()) names.push_back(kind.name);
  return push(L, names);
}

int describe(lua_State* L) {
  const BackboneKind& kind = backbone_kind_of(check_string(L, 1));
  Json fields = Json::array();
  for (const FieldInfo& f : kind.options)
    fields.push_back({{"name", f.name},
                      {"type", f.type},
                      {"allowed", f.allowed},
                      {"default", f.default_value},
                      {"doc", f.doc}});
  return push(L, Json{{"name", kind.name}, {"doc", kind.doc}, {"options", fields}});
}

/// Where published weights are looked for.
struct WeightsSearchOptions {
  std::string root;
  std::string layout = "any";
  static constexpr auto fields = std::tuple{
      field("root", &WeightsSearchOptions::root, anything(),
            "Folder that is searched, with the folders below it; empty: the environment variable "
            "WEIGHTS_ROOT."),
      field("layout", &WeightsSearchOptions::layout, one_of(kWeightsLayouts),
            "'file': official files; 'folder': folders of transformers; 'any': files before folders.")};
};

const PublishedModel& published_model(const std::string& name) {
  const BackboneKind& kind = backbone_kind_of(name);
  if (!kind.published)
    throw Error(fmt::format("backbone: '{}' takes no published weights of the user's", kind.name));
  return *kind.published;
}

int published(lua_State* L) {
  const BackboneKind& kind = backbone_kind_of(check_string(L, 1));
  if (!kind.published) return lua_pushnil(L), 1;
  return push(L, Json{{"hub", kind.published->hub},
                      {"files", kind.published->weights.files},
                      {"source", kind.published->weights.source},
                      {"normalization", kind.published->normalization}});
}

int find(lua_State* L) {
  const auto how = options<WeightsSearchOptions>(L, 2, "backbone.find_weights options");
  return push(L, find_weights(of_layout(published_model(check_string(L, 1)).weights, how.layout), how.root));
}

int open(lua_State* L) {
  return push(L, open_backbone(check_string(L, 1), options_at(L, 2)));
}

}  // namespace backbone_bindings

int backbone_features(lua_State* L) {
  return backbone_bindings::push_features(L, *backbone_bindings::backbone_at(L, 2), 1);
}

namespace backbone_bindings {

/// One list of Features for an image, a list of lists for a list.
int rotations(lua_State* L) {
  const auto backbone = backbone_at(L, 3);
  const bool single = is<Image>(L, 1);
  const auto images = check_images(L, 1);
  const auto angles =
      detail::read<std::vector<double>>(to_json(L, 2, "angles"), "angles", in_range(-36000, 36000));
  std::vector<std::vector<std::shared_ptr<const Features>>> by_angle;
  for (const double angle : angles) by_angle.push_back(features_of_rotation(*backbone, images, angle));
  const auto push_list = [&](std::size_t image) {
    lua_createtable(L, static_cast<int>(angles.size()), 0);
    for (std::size_t k = 0; k < angles.size(); ++k) {
      push(L, by_angle[k][image]);
      lua_rawseti(L, -2, static_cast<int>(k) + 1);
    }
  };
  if (single) return push_list(0), 1;
  lua_createtable(L, static_cast<int>(images.size()), 0);
  for (std::size_t i = 0; i < images.size(); ++i) {
    push_list(i);
    lua_rawseti(L, -2, static_cast<int>(i) + 1);
  }
  return 1;
}

int check(lua_State* L) {
  Json rows = Json::array();
  for (const DtypeDrift& row : dtype_drift(check_string(L, 2), options_at(L, 3), check_images(L, 1)))
    rows.push_back({{"dtype", row.dtype},
                    {"token_max_abs", row.token_max_abs},
                    {"token_min_cosine", row.token_min_cosine},
                    {"token_mean_cosine", row.token_mean_cosine},
                    {"global_min_cosine", row.global_min_cosine},
                    {"ms_per_image", row.ms_per_image}});
  return push(L, rows);
}

int close_all(lua_State*) {
  close_backbones();
  return 0;
}

int features_of(lua_State* L) {
  return push_features(L, arg<Backbone>(L, 1), 2);
}
int classes(lua_State* L) {
  return push(L, classes_of(arg<Backbone>(L, 1)));
}
int logits(lua_State* L) {
  return push(L, class_logits(arg<Backbone>(L, 1), check_images(L, 2)));
}
int spec(lua_State* L) {
  return push(L, arg<Backbone>(L, 1).spec());
}
int weights_sha256(lua_State* L) {
  return push(L, arg<Backbone>(L, 1).weights_sha256());
}
int weights_rule(lua_State* L) {
  return push(L, arg<Backbone>(L, 1).weights_rule());
}
int stride(lua_State* L) {
  return push(L, arg<Backbone>(L, 1).stride());
}

int backbone_to_string(lua_State* L) {
  return push(L, fmt::format("Backbone({})", arg<Backbone>(L, 1).spec()));
}

constexpr Binding kFunctions[] = {
    bind<list>("list", "backbone.list() -> {string}", "Names of all backbones, sorted.",
               "print(table.concat(im.backbone.list(), ' '))"),
    bind<describe>("describe", "backbone.describe(name) -> {name, doc, options}",
                   "What a backbone is and its options, each with name, type, allowed, default and doc.",
                   "print(im.backbone.describe('dense_sift').doc) --> RootSIFT descriptors on a dense grid, "
                   "upright: 128 values a ..."),
    bind<open>(
        "open", "backbone.open(spec [, options]) -> Backbone",
        "Opens a backbone by its name or a whole specification, 'dense_sift step=4'; `options` add to it and "
        "win over it (see backbone.describe). The same name and options give the same model, loaded once a "
        "process. An unknown name or option is an error; missing weights return nil, message, 'not_found', "
        "unfit ones nil, message, 'bad_weights' or 'bad_format'.",
        "print(im.backbone.open('dense_sift', { step = 16 })) --> Backbone(dense_sift image_size=336..."),
    bind<backbone_features>(
        "features", "backbone.features(images, backbone [, options]) -> Features or {Features}",
        "Features of one image or of each of a list, through the feature cache: only images that were never "
        "seen by this backbone with these options go forward, in batches of one size. `backbone` is a "
        "Backbone "
        "or what backbone.open takes, `options` then its options. An image so narrow that it would be "
        "resized "
        "to more than 2^24 pixels returns nil, message, 'too_large'.",
        "print(im.backbone.features(im.image.new(64, 48), 'dense_sift', { image_size = 64 })) --> "
        "Features(8x11x128 of 64x48 px, dense_sift image_size=64 resi..."),
    bind<rotations>(
        "rotations",
        "backbone.rotations(images, angles_deg, backbone [, options]) -> {Features} or {{Features}}",
        "Features of an image (or of each of a list) rotated clockwise by each of the angles, placed in the "
        "image as it is: points come out in its pixels, and tokens that see what a turn left empty take no "
        "part in matching. Rotated by other than a right angle the image keeps its scale, as image_size "
        "grows "
        "with the frame. For match.rotation_search.",
        "print(#im.backbone.rotations(im.image.new(64, 48), { 0, 90 }, 'dense_sift image_size=64')) --> 2"),
    bind<published>("published", "backbone.published(name) -> {hub, files, source, normalization} or nil",
                    "What the published weights of a backbone are called (a folder of transformers as "
                    "'folder/config.json'), where they are handed out, and how its input is normalised; nil "
                    "for one that comes with the program.",
                    "print(im.backbone.published('vits14').files[1]) --> dinov2_vits14_pretrain.pth"),
    bind<find>(
        "find_weights", "backbone.find_weights(name [, options]) -> path",
        "The file or folder with the published weights of that backbone. Failures: not_found, with the "
        "names that were looked for and where to get them.",
        "print(im.backbone.find_weights('vits14', { root = '.', layout = 'file' })) --> nil vits14: no "
        "weights: looked for the file 'dinov2_vits14_p...",
        describe_options<WeightsSearchOptions>),
    bind<check>(
        "check", "backbone.check(images, spec [, options]) -> {row}",
        "How far features move when the network runs in bf16 or fp16 instead of fp32, and how long it takes. "
        "A row for each dtype: dtype, token_max_abs, token_min_cosine, token_mean_cosine, global_min_cosine, "
        "ms_per_image. The cache is not used. A backbone without the option dtype is an error.",
        "print(im.backbone.check(im.image.new(64, 64), 'efficientnet_lite0 image_size=64')[2].dtype) --> "
        "bf16"),
    bind<close_all>("close_all", "backbone.close_all()",
                    "Forgets every opened backbone, so that its weights are freed once no handle holds it.",
                    "im.backbone.close_all()\n"
                    "print(im.backbone.open('dense_sift image_size=64'):stride()) --> 8"),
};

constexpr Binding kMethods[] = {
    bind<features_of>(
        "features", "Backbone:features(images) -> Features or {Features}",
        "As backbone.features: one Features for an image, a list for a list, through the cache.",
        "print(im.backbone.open('dense_sift image_size=64'):features(im.image.new(64, 64))) --> "
        "Features(8x8x128 of 64x64 px, dense_sift image_size=64 resiz..."),
    bind<classes>("classes", "Backbone:classes() -> integer",
                  "How many classes it tells apart; 0 for a backbone without.",
                  "assert(im.backbone.open('efficientnet_lite0'):classes() == 1000)\n"
                  "print(im.backbone.open('dense_sift'):classes() == 0) --> true"),
    bind<logits>(
        "logits", "Backbone:logits(images) -> Tensor",
        "Scores of the classes it was trained on, before softmax, [images, classes] float32; for "
        "efficientnet_lite0 the 1000 classes of ImageNet. A backbone without classes is an error.",
        "local scores = im.backbone.open('efficientnet_lite0 image_size=64'):logits(im.image.new(64, 64))\n"
        "print(scores:shape()[2] == 1000) --> true"),
    bind<spec>("spec", "Backbone:spec() -> string",
               "Name and every option that shapes the result; backbone.open takes it back.",
               "print(im.backbone.open('dense_sift'):spec()) --> dense_sift image_size=336..."),
    bind<weights_rule>(
        "weights_rule", "Backbone:weights_rule() -> string",
        "What was taken out of a file that a training wrote: \"of 'teacher.backbone.', without "
        "'head.'\"; \"\" where the file held the network alone.",
        "print(im.backbone.open('efficientnet_lite0'):weights_rule() == '') --> true"),
    bind<weights_sha256>("weights_sha256", "Backbone:weights_sha256() -> string",
                         "SHA-256 of the file of weights, 64 hexadecimal digits; '' without weights.",
                         "print(im.backbone.open('efficientnet_lite0'):weights_sha256()) --> "
                         "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"),
    bind<stride>("stride", "Backbone:stride() -> integer", "Side of a token in pixels of the resized image.",
                 "print(im.backbone.open('dense_sift'):stride()) --> 8"),
};

constexpr Type kTypes[] = {
    describe_type<Backbone, backbone_to_string>("A model that turns images into Features; immutable.",
                                                kMethods),
};

}  // namespace backbone_bindings

extern const Module backbone_module;
const Module backbone_module{"backbone", "Models that turn images into features.",
                             backbone_bindings::kFunctions, backbone_bindings::kTypes};

}  // namespace imatch::host
