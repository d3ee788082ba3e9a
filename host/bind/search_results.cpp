// SPDX-License-Identifier: Apache-2.0
#include "bind/search_results.h"

#include <fmt/format.h>

#include "bind/lists.h"
#include "bind/skipped_files.h"
#include "bind/types.h"
#include "bind/vector_set.h"
#include "binding.h"

namespace imatch::host {
namespace search_results_bindings {

struct ResultArguments {
  const VectorSet& queries;
  const VectorSet& base;
  Neighbours found;
  SearchSettings search;
};

/// (queries, base, scores, ids, search) at stack index `at` and behind.
ResultArguments check_result(lua_State* L, int at) {
  return {arg<VectorSet>(L, at),
          arg<VectorSet>(L, at + 1),
          {arg<at::Tensor>(L, at + 2), arg<at::Tensor>(L, at + 3)},
          options<SearchSettings>(L, at + 4, "search")};
}

int write_result_files(lua_State* L) {
  const auto r = check_result(L, 2);
  imatch::write_results(check_string(L, 1), r.search, r.queries, r.base, r.found,
                        !is_absent(L, 7) && check_bool(L, 7));
  return push(L, true);
}

int write_aggregate_file(lua_State* L) {
  const auto r = check_result(L, 2);
  return push(L, imatch::write_aggregate(check_string(L, 1), r.search, r.queries, r.base, r.found));
}

int results(lua_State* L) {
  return push(L, read_results(check_strings(L, 1), is_absent(L, 2) ? "" : check_string(L, 2)));
}

int results_length(lua_State* L) {
  return push(L, arg<SearchResults>(L, 1).queries.size());
}

int results_to_string(lua_State* L) {
  const auto& r = arg<SearchResults>(L, 1);
  return push(L, fmt::format("SearchResults({} {} {}, {} queries, {} references)", r.weight, r.mode,
                             r.direction, r.queries.size(), r.references.size()));
}

int results_description(lua_State* L) {
  const auto& r = arg<SearchResults>(L, 1);
  return push(L, Json{{"group", r.group},
                      {"weight", r.weight},
                      {"mode", r.mode},
                      {"direction", r.direction},
                      {"num_queries", r.queries.size()},
                      {"num_references", r.references.size()},
                      {"skipped", skipped_json(r.skipped)}});
}

int results_names(lua_State* L) {
  const auto& r = arg<SearchResults>(L, 1);
  const std::string which = check_string(L, 2);
  if (which == "references") return push(L, Json(r.references));
  if (which != "queries") wrong_argument(L, 2, "'queries' or 'references'");
  Json list = Json::array();
  for (const RetrievedQuery& query : r.queries) list.push_back(query.name);
  return push(L, list);
}

constexpr Binding kFunctions[] = {
    bind<write_result_files>(
        "write_results",
        "retrieval.write_results(out, queries, base, scores, ids, search [, with_redis]) -> true",
        "One JSON file a query, <out>/<weight>_<mode>/<vector file>_top<k>.json: {weight, mode, direction, "
        "k, "
        "index_count, search_count, search{vector, meta, image}, hits[]{rank, score, vector, meta, image}, "
        "timing_ms}. With `with_redis` also its row for Redis, "
        "<out>/<weight>_<mode>_<direction>/<vector file>_<direction>_top<k>_redis.json. k is at most the "
        "number of vectors searched among.",
        "local none = im.retrieval.vectors {}\n"
        "local empty = im.tensor.from_table { { 0 } }\n"
        "print(im.retrieval.write_results('/tmp/imatch_doc_results', none, none, empty, empty, { direction = "
        "'db2db' })) --> true",
        describe_options<SearchSettings>),
    bind<write_aggregate_file>(
        "write_aggregate", "retrieval.write_aggregate(out, queries, base, scores, ids, search) -> path",
        "All queries in one JSON file, <out>/<weight>_<mode>_<direction option>_top<k>.json, under "
        "`results`.",
        "local none = im.retrieval.vectors {}\n"
        "local empty = im.tensor.from_table { { 0 } }\n"
        "print(im.retrieval.write_aggregate('/tmp/imatch_doc', none, none, empty, empty, { direction = "
        "'db2db' })) --> /tmp/imatch_doc/__data-data_top0.json",
        describe_options<SearchSettings>),
    bind<results>(
        "results", "retrieval.results(paths [, direction]) -> SearchResults",
        "Reads result files: queries with their hits, aggregates and rows for Redis. Skipped by "
        "name are damaged "
        "ones, those of another `direction` (absent: than the first that names one) and queries "
        "that were read "
        "already, as with another k.",
        "print(im.retrieval.results { 'no_such.json' }) --> nil no_such.json: no such file bad_format"),
};

constexpr Binding kMethods[] = {
    bind<results_names>("names", "SearchResults:names(which) -> list",
                        "Of the 'queries', or of the 'references' that were found.",
                        "print(#im.retrieval.results({}):names 'queries') --> 0"),
    bind<results_description>("description", "SearchResults:description() -> table",
                              "group, weight, mode, direction, num_queries, num_references, skipped.",
                              "print(im.retrieval.results({}):description().num_queries) --> 0"),
};

constexpr Type kTypes[] = {
    describe_type<SearchResults, results_to_string, results_length>("Search results read back.", kMethods),
};

}  // namespace search_results_bindings

extern const Module search_results_module;
const Module search_results_module{"retrieval", "", search_results_bindings::kFunctions,
                                   search_results_bindings::kTypes};

}  // namespace imatch::host
