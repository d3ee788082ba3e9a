// SPDX-License-Identifier: Apache-2.0
// JSON, and what a pair file makes of it: read, written and read again it stays the same.
#include <cstdlib>

#include "fuzz/target.h"
#include "io/json_file.h"
#include "match/pair_file.h"

using namespace imatch;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text = fuzz::text(data, size);
  fuzz::attempt([&] {
    const Json json = parse_json(text, "input");
    const PairFile pair = parse_pair(json, "input", {.ignore_unknown = true});
    const Json written = to_json(pair);
    if (to_json(parse_pair(written, "written")) != written) std::abort();
    fuzz::attempt([&] { matches_of(pair, {640, 480}, {481, 641}); });
  });
  return 0;
}
