// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "bind/callback.h"
#include "bind/types.h"
#include "binding.h"
#include "match/pair_job.h"

namespace imatch::host {

template <>
inline constexpr const char* type_name<PairFile> = "PairFile";

namespace pairs_bindings {

int read(lua_State* L) {
  return push(L, read_pair_file(check_string(L, 1), options<PairReadOptions>(L, 2, "pairs.read options")));
}

int write(lua_State* L) {
  write_pair_file(check_string(L, 1), parse_options<PairFile>(to_json(L, 2, "pair"), "pair"));
  return push(L, true);
}

int run(lua_State* L) {
  PairJobEvents events;
  if (!is_absent(L, 3)) events.on_progress = call_with_table<PairJobProgress>(L, 3);
  if (!is_absent(L, 4)) events.on_grid = call_with_table<PairJobGrid>(L, 4);
  const auto job = options<PairJobOptions>(L, 2, "pairs.run");
  return push(L, options_to_json(run_pairs(arg<Backbone>(L, 1), job, events)));
}

int matches(lua_State* L) {
  const auto side = [&](int index) { return static_cast<int>(check_integer(L, index, 1, 1 << 30)); };
  return push(L, matches_of(arg<PairFile>(L, 1), {side(2), side(3)}, {side(4), side(5)}));
}

int header(lua_State* L) {
  return push(L, header_json(arg<PairFile>(L, 1)));
}

int to_table(lua_State* L) {
  return push(L, to_json(arg<PairFile>(L, 1)));
}

int pair_to_string(lua_State* L) {
  const auto& pair = arg<PairFile>(L, 1);
  return push(L, fmt::format("PairFile({}, {} and {}, {} matches)", pair.weight, pair.image_a, pair.image_b,
                             pair.patch.similarities.size()));
}

#define ONE_PAIR                                                                                             \
  "local pair = { image_a = 'a.jpg', image_b = 'b.jpg', weight = 'vits14', cosine = 0.9, advanced_settings " \
  "= { match_threshold = 0.1, max_features = 1000, keypoint_threshold = 0.015, line_threshold = 0.2 }, "     \
  "patch = { n_a = 4, n_b = 4, n_selected_a = 4, n_selected_b = 4, grid_g_a = 2, grid_g_b = 2, idx_a = { "   \
  "0 }, idx_b = { 3 }, similarities = { 0.8 } } }\n"

#define THE_FILE ONE_PAIR "local path = os.tmpname(); assert(im.pairs.write(path, pair)); "

constexpr Binding kFunctions[] = {
    bind<read>(
        "read", "pairs.read(path [, options]) -> PairFile",
        "A pair file of `imatch-lua run`, or of the programs whose format it has. Failures: not_found, "
        "not_a_file, unreadable; bad_format names the file and the key that is missing, unknown or wrong.",
        THE_FILE "local read = im.pairs.read(path); os.remove(path)\n"
                 "print(read:header().weight == 'vits14') --> true",
        describe_options<PairReadOptions>),
    bind<write>(
        "write", "pairs.write(path, pair) -> true",
        "Writes a pair file, whole or not at all; makes missing folders. Fields that are unset and that "
        "every file has become null. Failures: unwritable, no_space; bad_format for lists of unequal "
        "length and tokens outside of their grid.",
        THE_FILE "print(im.io.read_json(path).cosine == 0.9); os.remove(path) --> true",
        describe_options<PairFile>),
    bind<run>(
        "run", "pairs.run(backbone, job [, on_progress [, on_grid]]) -> table",
        "Matches every pair of a list of images with one Backbone and writes a file for each. An image is "
        "decoded once and goes through the network once, within memory_mb; what is finished is left alone, "
        "so "
        "a job that was stopped goes on where it was. An image that cannot be used skips its pairs. After "
        "each pair on_progress gets {total, run, finished, skipped}, and on_grid once for each size of image "
        "{image_width, image_height, rows, cols, dim}. Gives { counts = , failed_images = { {file, problem} "
        "... } }. Failures: unwritable, no_space.",
        "local backbone = im.backbone.open 'dense_sift'\n"
        "local done = im.pairs.run(backbone, { images = {}, pairs = {}, folder = os.tmpname() .. '.d' })\n"
        "print(done.counts.total == 0) --> true",
        describe_options<PairJobOptions>),
};

constexpr Binding kMethods[] = {
    bind<matches>(
        "matches", "PairFile:matches(width_a, height_a, width_b, height_b) -> Matches",
        "The matches between original images of these sizes in pixels. Without points in the file they "
        "follow from its grids, or from its image_size and the patch size in the weight's name, by the rule "
        "of the programs that wrote it. Fails with no_result when no grid fits the tokens.",
        THE_FILE "local read = im.pairs.read(path); os.remove(path)\n"
                 "print(read:matches(200, 200, 200, 200):points()[1][3] == 150) --> true"),
    bind<header>("header", "PairFile:header() -> table",
                 "Everything but the matches: meta, image_a, image_b, weight, cosine, time_ms, "
                 "advanced_settings, and what pairs.write says stands beside them.",
                 THE_FILE "local read = im.pairs.read(path); os.remove(path)\n"
                          "print(read:header().image_a == 'a.jpg' and read:header().patch == nil) --> true"),
    bind<to_table>("to_table", "PairFile:to_table() -> table", "Everything, as pairs.write takes it.",
                   THE_FILE "local read = im.pairs.read(path); os.remove(path)\n"
                            "print(read:to_table().patch.idx_b[1] == 3) --> true"),
};

#undef THE_FILE
#undef ONE_PAIR

constexpr Type kTypes[] = {
    describe_type<PairFile, pair_to_string>("A matched pair of images as it is kept on disk; immutable.",
                                            kMethods),
};

}  // namespace pairs_bindings

extern const Module pairs_module;
const Module pairs_module{"pairs", "Files of matched pairs, and the job that writes them.",
                          pairs_bindings::kFunctions, pairs_bindings::kTypes};

}  // namespace imatch::host
