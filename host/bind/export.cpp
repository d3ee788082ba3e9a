// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "bind/types.h"
#include "binding.h"
#include "export/colmap_database.h"
#include "export/hloc_files.h"

namespace imatch::host {

template <>
inline constexpr const char* type_name<ExportSet> = "ExportSet";
template <>
inline std::size_t native_bytes(const ExportSet& set) {
  return set.bytes();
}

namespace export_bindings {

int make(lua_State* L) {
  return push(L, ExportSet());
}

int require_names(lua_State* L) {
  std::vector<std::string> names;
  for (const Json& name : to_json(L, 1, "names")) names.push_back(name.get<std::string>());
  imatch::require_hloc_names(names);
  return push(L, true);
}

int add_image(lua_State* L) {
  auto& set = mutable_arg<ExportSet>(L, 1);
  const auto side = [&](int index) { return static_cast<int>(check_integer(L, index, 1, 1 << 30)); };
  if (is<Features>(L, 3))
    set.add_image(check_string(L, 2), arg<Features>(L, 3),
                  options<ExportImageOptions>(L, 4, "ExportSet:add_image options"));
  else
    set.add_image(check_string(L, 2), side(3), side(4),
                  options<ExportImageOptions>(L, 5, "ExportSet:add_image options"));
  return 0;
}

int has_image(lua_State* L) {
  return push(L, arg<ExportSet>(L, 1).has_image(check_string(L, 2)));
}

int add_pair(lua_State* L) {
  const Geometry* geometry = is_absent(L, 5) ? nullptr : &arg<Geometry>(L, 5);
  auto& set = mutable_arg<ExportSet>(L, 1);
  return push(L, set.add_pair(check_string(L, 2), check_string(L, 3), arg<Matches>(L, 4), geometry));
}

int counts(lua_State* L) {
  return push(L, options_to_json(arg<ExportSet>(L, 1).counts()));
}

int hloc(lua_State* L) {
  imatch::write_hloc(arg<ExportSet>(L, 1), check_string(L, 2),
                     options<HlocOptions>(L, 3, "ExportSet:write_hloc"));
  return push(L, true);
}

int colmap(lua_State* L) {
  imatch::write_colmap(arg<ExportSet>(L, 1), check_string(L, 2),
                       options<ColmapOptions>(L, 3, "ExportSet:write_colmap"));
  return push(L, true);
}

int set_length(lua_State* L) {
  return push(L, arg<ExportSet>(L, 1).images().size());
}
int set_to_string(lua_State* L) {
  const auto& set = arg<ExportSet>(L, 1);
  return push(L, fmt::format("ExportSet({} images, {} pairs)", set.images().size(), set.pairs().size()));
}

#define TWO_IMAGES                                                                                     \
  "local tokens = im.tensor.from_table { { { 1, 0 }, { 0, 1 } }, { { 1, 1 }, { 1, -1 } } }\n"          \
  "local features = im.features.from_tensors(im.tensor.from_table { 1 }, tokens, { image_width = 64, " \
  "image_height = 64 })\n"                                                                             \
  "local set = im.export.new()\nset:add_image('a.jpg', features)\nset:add_image('b.jpg', features)\n"

constexpr Binding kFunctions[] = {
    bind<require_names>(
        "require_hloc_names", "export.require_hloc_names(names) -> true",
        "Whether hloc can tell these names of images apart: nil, message and bad_format for one with a "
        "blank, which stands between the names of pairs.txt, and for two that are one with - for /, as "
        "matches.h5 has them. To be asked before the work; write_hloc asks too.",
        "print(im.export.require_hloc_names { 'A/x.jpg', 'A-x.jpg' }) --> nil 'A/x.jpg' and 'A-x.jpg' "
        "are both 'A-x.jpg'..."),
    bind<make>("new", "export.new() -> ExportSet", "A set without images, to be filled and written.",
               "print(#im.export.new()) --> 0"),
};

constexpr Binding kMethods[] = {
    bind<add_image>(
        "add_image", "ExportSet:add_image(name, features | width, height [, options])",
        "An image by its path below the folder of the images. With features its tokens are its "
        "keypoints, with their descriptors; with a size in pixels the keypoints come with the pairs.",
        "local set = im.export.new()\n"
        "set:add_image('a.jpg', 640, 480)\n"
        "print(set:has_image 'a.jpg') --> true",
        describe_options<ExportImageOptions>),
    bind<has_image>("has_image", "ExportSet:has_image(name) -> boolean",
                    "Whether an image of that name was added.",
                    "print(im.export.new():has_image 'a.jpg') --> false"),
    bind<add_pair>(
        "add_pair", "ExportSet:add_pair(a, b, matches [, geometry]) -> boolean",
        "The matches between two images that were added, and the geometry estimated from them. False, "
        "and nothing is added, when the two have a pair already, in either order. An error when the "
        "matches are of other images or other features.",
        TWO_IMAGES "local matches = im.match.mutual_nearest(features, features)\n"
                   "print(set:add_pair('a.jpg', 'b.jpg', matches, im.match.geometry(matches))) --> true"),
    bind<counts>("counts", "ExportSet:counts() -> table", "images, keypoints, pairs, matches, geometries.",
                 "print(im.export.new():counts().pairs == 0) --> true", describe_options<ExportCounts>),
    bind<hloc>(
        "write_hloc", "ExportSet:write_hloc(folder [, options]) -> true",
        "The files of hloc: features.h5 (keypoints, image_size, and descriptors where features were given), "
        "matches.h5 (matches0, matching_scores0), global.h5 (global_descriptor) and pairs.txt. Keypoints "
        "count "
        "from the centre of the top-left pixel, as hloc's do. Fails with unwritable.",
        TWO_IMAGES "print(set:write_hloc '/tmp/imatch_doc_hloc') --> true", describe_options<HlocOptions>),
    bind<colmap>(
        "write_colmap", "ExportSet:write_colmap(path [, options]) -> true",
        "A database of COLMAP: cameras (SIMPLE_RADIAL, a guess to be refined), images, keypoints, matches, "
        "and the inliers and homography of pairs that have a geometry. Replaces the file. Fails with "
        "unwritable.",
        TWO_IMAGES "print(set:write_colmap '/tmp/imatch_doc_colmap.db') --> true",
        describe_options<ColmapOptions>),
};

#undef TWO_IMAGES

constexpr Type kTypes[] = {
    describe_type<ExportSet, set_to_string, set_length>(
        "Images with keypoints, and matches between them, for structure-from-motion programs.", kMethods),
};

}  // namespace export_bindings

extern const Module export_module;
const Module export_module{"export", "Files for hloc and COLMAP.", export_bindings::kFunctions,
                           export_bindings::kTypes};

}  // namespace imatch::host
