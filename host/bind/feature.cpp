// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "base/file.h"
#include "bind/feature_list.h"
#include "bind/types.h"
#include "binding.h"
#include "feature/feature_file.h"
#include "feature/grid.h"
#include "feature/postprocess.h"
#include "feature/token_colours.h"

namespace imatch::host {
namespace feature_bindings {

int from_tensors(lua_State* L) {
  return push(L, features_over_image(arg<at::Tensor>(L, 1), arg<at::Tensor>(L, 2),
                                     options<GridOptions>(L, 3, "features.from_tensors options")));
}

int open(lua_State* L) {
  const std::string path = check_string(L, 1);
  return push(L, parse_features(own_bytes(read_file(path)), path).features);
}

int save(lua_State* L) {
  write_file_atomically(check_string(L, 2), feature_bytes(arg<Features>(L, 1), 0));
  return push(L, true);
}

int colours(lua_State* L) {
  const auto features = check_features(L, 1);
  std::vector<const Features*> list;
  for (const auto& each : features) list.push_back(each.get());
  lua_newtable(L);
  int position = 0;
  for (Image& image : token_colours(list)) {
    push(L, std::move(image));
    lua_rawseti(L, -2, ++position);
  }
  return 1;
}

int rotation_deg(lua_State* L) {
  return push(L, arg<Features>(L, 1).rotation_deg);
}

int grid(lua_State* L) {
  const auto& features = arg<Features>(L, 1);
  push(L, features.rows);
  push(L, features.cols);
  push(L, std::int64_t{features.tokens.size(1)});
  return 3;
}

int tokens(lua_State* L) {
  return push(L, arg<Features>(L, 1).tokens);
}
int global(lua_State* L) {
  return push(L, arg<Features>(L, 1).global);
}
int backbone(lua_State* L) {
  return push(L, arg<Features>(L, 1).backbone);
}
int key(lua_State* L) {
  return push(L, arg<Features>(L, 1).key);
}

int image_size(lua_State* L) {
  const auto& features = arg<Features>(L, 1);
  push(L, features.image_width);
  push(L, features.image_height);
  return 2;
}

int points(lua_State* L) {
  const auto& features = arg<Features>(L, 1);
  if (is_absent(L, 2)) return push(L, token_points(features));
  const Json list = to_json(L, 2, "indices");
  std::vector<std::int64_t> indices;
  for (const Json& index : list) {
    if (!index.is_number() || index.get<double>() != static_cast<double>(index.get<std::int64_t>()))
      wrong_argument(L, 2, "a list of 0-based token indices");
    indices.push_back(index.get<std::int64_t>());
  }
  return push(L, token_points(features, indices));
}

int variant(lua_State* L) {
  return push(L, variant_of(arg<Features>(L, 1), check_string(L, 2)));
}
int normalized(lua_State* L) {
  return push(L, l2_normalized(arg<Features>(L, 1)));
}

int features_to_string(lua_State* L) {
  const auto& f = arg<Features>(L, 1);
  return push(L, fmt::format("Features({}x{}x{} of {}x{} px, {})", f.rows, f.cols, f.tokens.size(1),
                             f.image_width, f.image_height, f.backbone));
}

#define FOUR_TOKENS                                                    \
  "local f = im.features.from_tensors(im.tensor.from_table { 1, 0 }, " \
  "im.tensor.from_table { { 1, 0 }, { 0, 1 }, { 2, 0 }, { 0, 2 } }, { rows = 2, cols = 2 }); "

constexpr Binding kFunctions[] = {
    bind<from_tensors>(
        "from_tensors", "features.from_tensors(global, tokens [, options]) -> Features",
        "Features from vectors that were made elsewhere: a global vector [D] and tokens [rows * cols, D] or "
        "[rows, cols, D], row-major, on a grid that covers the whole image.",
        FOUR_TOKENS "print(f) --> Features(2x2x2 of 2x2 px, unknown)", describe_options<GridOptions>),
    bind<open>("open", "features.open(path) -> Features",
               "What Features:save wrote. Failures: not_found, not_a_file, unreadable, bad_format (also for "
               "a wrong checksum).",
               FOUR_TOKENS "local p = os.tmpname(); f:save(p); print(im.features.open(p)); os.remove(p) --> "
                           "Features(2x2x2 of 2x2 px, unknown)"),
    bind<colours>(
        "colours", "features.colours(list) -> list of Image",
        "Pictures of token grids, a pixel a token: the first three principal components of all the "
        "tokens together as red, green and blue, each stretched from its 1st to its 99th percentile. "
        "One colour means one thing in all of them. Resize with filter = 'area' to show squares.",
        FOUR_TOKENS "print(im.features.colours({ f, f })[2]) --> Image(2x2)"),
};

constexpr Binding kMethods[] = {
    bind<grid>("grid", "Features:grid() -> rows, cols, dim", "Size of the token grid, and length of a token.",
               FOUR_TOKENS "print(f:grid()) --> 2 2 2"),
    bind<tokens>("tokens", "Features:tokens() -> Tensor", "[rows * cols, D], row-major over the grid.",
                 FOUR_TOKENS "print(f:tokens()) --> Tensor(4x2 float32 cpu, min 0 mean 0.75 max 2)"),
    bind<global>("global", "Features:global() -> Tensor", "[D]: one vector for the whole image.",
                 FOUR_TOKENS "print(f:global()) --> Tensor(2 float32 cpu, min 0 mean 0.5 max 1)"),
    bind<points>("points", "Features:points([indices]) -> Tensor",
                 "Centres of the tokens (or of those with the 0-based indices) in the original image: [n, 2] "
                 "float64, x then y, px.",
                 FOUR_TOKENS "print(f:points { 3 }:get(0, 1)) --> 1.5"),
    bind<image_size>("image_size", "Features:image_size() -> width, height",
                     "Of the image as it was given, px.", FOUR_TOKENS "print(f:image_size()) --> 2 2"),
    bind<rotation_deg>("rotation_deg", "Features:rotation_deg() -> number",
                       "By how many degrees the image was rotated clockwise before the backbone saw it.",
                       FOUR_TOKENS "print(f:rotation_deg()) --> 0"),
    bind<backbone>("backbone", "Features:backbone() -> string", "What made them, with every option.",
                   FOUR_TOKENS "print(f:backbone()) --> unknown"),
    bind<key>("key", "Features:key() -> string",
              "SHA-256 of everything they depend on, under which the cache keeps them; '' when unknown.",
              FOUR_TOKENS "print(#f:key()) --> 0"),
    bind<variant>("variant", "Features:variant(name) -> Features",
                  "'raw': these; 'sub<stride>' ('sub2'): every stride-th token of the grid in both "
                  "directions, at its own place in the image.",
                  FOUR_TOKENS "print(f:variant 'sub2') --> Features(1x1x2 of 2x2 px, unknown)"),
    bind<normalized>("normalized", "Features:normalized() -> Features",
                     "Global vector and tokens scaled to length one; a zero vector stays zero.",
                     FOUR_TOKENS "print(f:normalized():tokens():max()) --> 1"),
    bind<save>("save", "Features:save(path) -> true",
               "Writes everything to one file with a checksum. Failures: unwritable, no_space.",
               FOUR_TOKENS "local p = os.tmpname(); print(f:save(p)); os.remove(p) --> true"),
};

constexpr Type kTypes[] = {
    describe_type<Features, features_to_string>(
        "What a backbone says about one image: a global vector and a grid of tokens; immutable.", kMethods),
};

}  // namespace feature_bindings

extern const Module feature_module;
const Module feature_module{"features", "What backbones say about images.", feature_bindings::kFunctions,
                            feature_bindings::kTypes};

}  // namespace imatch::host
