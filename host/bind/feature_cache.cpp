// SPDX-License-Identifier: Apache-2.0
#include "binding.h"
#include "feature/cache.h"

namespace imatch::host {
namespace feature_cache_bindings {

int statistics(lua_State* L) {
  return push(L, options_to_json(feature_cache().statistics()));
}
int settings(lua_State* L) {
  return push(L, options_to_json(feature_cache().options()));
}
int clear(lua_State* L) {
  return push(L, feature_cache().clear());
}

int configure(lua_State* L) {
  configure_feature_cache(parse_options<CacheOptions>(to_json(L, 1, "cache options"), "cache options",
                                                      feature_cache().options()));
  return 0;
}

constexpr Binding kFunctions[] = {
    bind<statistics>("statistics", "cache.statistics() -> table",
                     "Hits, misses, bytes and time saved in this process.",
                     "print(im.cache.statistics().misses)", describe_options<CacheStatistics>),
    bind<settings>("settings", "cache.settings() -> table", "The options in force, with the folder.",
                   "print(im.cache.settings().folder)", describe_options<CacheOptions>),
    bind<configure>(
        "configure", "cache.configure(options)",
        "Changes the options that are given, empties the tier in memory and the statistics; files stay.",
        "im.cache.configure { memory_mb = 100 }\n"
        "print(im.cache.settings().memory_mb) --> 100",
        describe_options<CacheOptions>),
    bind<clear>("clear", "cache.clear() -> integer",
                "Removes every entry from memory and disk; returns how many files went.",
                "print(type(im.cache.clear)) --> function"),
};

}  // namespace feature_cache_bindings

extern const Module cache_module;
const Module cache_module{"cache", "The cache of features: in memory, and in a folder that processes share.",
                          feature_cache_bindings::kFunctions};

}  // namespace imatch::host
