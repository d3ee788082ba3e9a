// SPDX-License-Identifier: Apache-2.0
#include "bind/types.h"
#include "binding.h"
#include "io/json_file.h"
#include "match/pair_file.h"

namespace imatch::host {
namespace pairs_bindings {

/// A pair as Lua has it: a table, checked as the files are.
PairFile pair_at(lua_State* L, int index) {
  return parse_pair(to_json(PairFile(parse_options<PairFile>(to_json(L, index, "pair"), "pair"))), "pair");
}

int read(lua_State* L) {
  return push(
      L, to_json(read_pair_file(check_string(L, 1), options<PairReadOptions>(L, 2, "pairs.read options"))));
}

int write(lua_State* L) {
  write_json(check_string(L, 1), to_json(pair_at(L, 2)));
  return push(L, true);
}

int matches(lua_State* L) {
  const auto side = [&](int index) { return static_cast<int>(check_integer(L, index, 1, 1 << 30)); };
  return push(L, matches_of(pair_at(L, 1), {side(2), side(3)}, {side(4), side(5)}));
}

#define ONE_PAIR                                                                                             \
  "local pair = { image_a = 'a.jpg', image_b = 'b.jpg', weight = 'vits14', cosine = 0.9, advanced_settings " \
  "= { match_threshold = 0.1, max_features = 1000, keypoint_threshold = 0.015, line_threshold = 0.2 }, "     \
  "patch = { n_a = 4, n_b = 4, n_selected_a = 4, n_selected_b = 4, grid_g_a = 2, grid_g_b = 2, idx_a = { "   \
  "0 }, idx_b = { 3 }, similarities = { 0.8 } } }\n"

constexpr Binding kFunctions[] = {
    bind<read>(
        "read", "pairs.read(path [, options]) -> table",
        "A pair file of `imatch-lua run`, or of the programs whose format it has: meta, image_a, image_b, "
        "weight, cosine, time_ms, advanced_settings, patch, and what pairs.write says stands beside them. "
        "Failures: not_found, not_a_file, unreadable; bad_format names the file and the key that is "
        "missing, unknown or wrong.",
        ONE_PAIR "local path = os.tmpname(); im.pairs.write(path, pair)\n"
                 "print(im.pairs.read(path).patch.idx_b[1]); os.remove(path)",
        describe_options<PairReadOptions>),
    bind<write>(
        "write", "pairs.write(path, pair) -> true",
        "Writes a pair file, whole or not at all; makes missing folders. Fields that are unset and that "
        "every file has become null. Failures: unwritable, no_space; bad_format for lists of unequal "
        "length and tokens outside of their grid.",
        ONE_PAIR "local path = os.tmpname(); im.pairs.write(path, pair); os.remove(path)",
        describe_options<PairFile>),
    bind<matches>(
        "matches", "pairs.matches(pair, width_a, height_a, width_b, height_b) -> Matches",
        "The matches of a pair file between original images of these sizes in pixels. Without points "
        "in the file they follow from its grids, or from its image_size and the patch size in the "
        "weight's name, by the rule of the programs that wrote it. Fails with no_result when no grid "
        "fits the tokens.",
        ONE_PAIR "print(im.pairs.matches(pair, 200, 200, 200, 200):points()[1][3])"),
};

#undef ONE_PAIR

}  // namespace pairs_bindings

extern const Module pairs_module;
const Module pairs_module{"pairs", "Files of matched pairs.", pairs_bindings::kFunctions};

}  // namespace imatch::host
