// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include "bind/types.h"
#include "binding.h"
#include "index/coreset.h"
#include "index/exact_index.h"
#include "index/index.h"
#include "index/vectors.h"

namespace imatch::host {

template <>
inline constexpr const char* type_name<Index> = "Index";
template <>
inline constexpr const char* type_name<ExactIndex> = "ExactIndex";
template <>
inline std::size_t native_bytes(const Index& index) {
  return static_cast<std::size_t>(index.count() * index.dim()) * sizeof(float);
}
template <>
inline std::size_t native_bytes(const ExactIndex& index) {
  return index.vectors().nbytes();
}

namespace index_bindings {

// ---- im.index
// --------------------------------------------------------------------------------------------------------

int make(lua_State* L) {
  return push(L, Index(check_integer(L, 1, 1, 1 << 20), options<IndexOptions>(L, 2, "index.new")));
}
int load(lua_State* L) {
  return push(L, Index::load(check_string(L, 1), options<IndexLoadOptions>(L, 2, "index.load")));
}
int exact(lua_State* L) {
  return push(L, ExactIndex(arg<at::Tensor>(L, 1), options<ExactIndexOptions>(L, 2, "index.exact")));
}
int coreset_of(lua_State* L) {
  return push(L, coreset(arg<at::Tensor>(L, 1), options<CoresetOptions>(L, 2, "index.coreset")));
}
int unit_rows_of(lua_State* L) {
  return push(L, unit_rows(arg<at::Tensor>(L, 1), "index.unit_rows"));
}

// ---- Index
// -----------------------------------------------------------------------------------------------------------

int push_neighbours(lua_State* L, const Neighbours& found) {
  push(L, found.scores);
  push(L, found.ids);
  return 2;
}

/// A list of integers, or a tensor of them.
at::Tensor check_id_list(lua_State* L, int index) {
  if (is<at::Tensor>(L, index)) return arg<at::Tensor>(L, index);
  const Json list = to_json(L, index, "ids");
  if (!list.is_array()) wrong_argument(L, index, "a list or a tensor of integers");
  at::Tensor ids = at::empty({static_cast<std::int64_t>(list.size())}, at::kLong);
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (!list[i].is_number_integer()) wrong_argument(L, index, "a list or a tensor of integers");
    ids.mutable_data_ptr<std::int64_t>()[i] = list[i];
  }
  return ids;
}

int train(lua_State* L) {
  mutable_arg<Index>(L, 1).train(arg<at::Tensor>(L, 2));
  return 0;
}
int add(lua_State* L) {
  const std::optional<at::Tensor> ids = is_absent(L, 3) ? std::nullopt : std::optional(check_id_list(L, 3));
  mutable_arg<Index>(L, 1).add(arg<at::Tensor>(L, 2), ids);
  return 0;
}
int remove(lua_State* L) {
  return push(L, mutable_arg<Index>(L, 1).remove(check_id_list(L, 2)));
}
int search(lua_State* L) {
  const auto o = options<IndexSearchOptions>(L, 3, "Index:search");
  return push_neighbours(L, arg<Index>(L, 1).search(arg<at::Tensor>(L, 2), o));
}
int save(lua_State* L) {
  arg<Index>(L, 1).save(check_string(L, 2));
  return push(L, true);
}
int set_parameters(lua_State* L) {
  mutable_arg<Index>(L, 1).set_parameters(check_string(L, 2));
  return 0;
}

Json source_json(const VectorSource& source) {
  return options_to_json(source);
}

int description(lua_State* L) {
  const auto& index = arg<Index>(L, 1);
  return push(L, Json{{"factory", index.factory()},
                      {"metric", metric_name(index.metric())},
                      {"dim", index.dim()},
                      {"count", index.count()},
                      {"is_trained", index.is_trained()},
                      {"source", source_json(index.source())}});
}
int index_length(lua_State* L) {
  return push(L, arg<Index>(L, 1).count());
}
int index_to_string(lua_State* L) {
  const auto& index = arg<Index>(L, 1);
  return push(L, fmt::format("Index({}, {}, {} x {})", index.factory().empty() ? "FAISS" : index.factory(),
                             metric_name(index.metric()), index.count(), index.dim()));
}

// ---- ExactIndex
// ------------------------------------------------------------------------------------------------------

int exact_search(lua_State* L) {
  const auto o = options<IndexSearchOptions>(L, 3, "ExactIndex:search");
  return push_neighbours(L, arg<ExactIndex>(L, 1).search(arg<at::Tensor>(L, 2), o.k, o.source));
}
int exact_length(lua_State* L) {
  return push(L, arg<ExactIndex>(L, 1).count());
}
int exact_to_string(lua_State* L) {
  const auto& index = arg<ExactIndex>(L, 1);
  return push(L, fmt::format("ExactIndex({}, {} x {}, {})", metric_name(index.metric()), index.count(),
                             index.dim(), index.vectors().device().str()));
}

// ---- Documentation
// ---------------------------------------------------------------------------------------------------

#define THREE_VECTORS "local vectors = im.tensor.from_table { { 1, 0 }, { 0.6, 0.8 }, { 0, 1 } }\n"

constexpr Binding kFunctions[] = {
    bind<make>("new", "index.new(dim [, options]) -> Index",
               "An empty index of vectors with `dim` dimensions, by FAISS's factory string. What has to be "
               "trained is trained by the first add, or by train.",
               THREE_VECTORS "local index = im.index.new(2, { factory = 'Flat' })\n"
                             "index:add(vectors)\n"
                             "print(#index) --> 3",
               describe_options<IndexOptions>),
    bind<load>(
        "load", "index.load(path [, options]) -> Index",
        "Reads what Index:save or FAISS itself wrote. path.json, where it is there, must agree with it. "
        "Fails with not_found, unreadable, bad_format (truncated, foreign).",
        "print(im.index.load 'no_such.faiss') --> nil no_such.faiss: no such file not_found",
        describe_options<IndexLoadOptions>),
    bind<exact>(
        "exact", "index.exact(vectors [, options]) -> ExactIndex",
        "Exact search in a tensor [n, D] by LibTorch alone, on the CPU or a GPU, with the same result on "
        "both. Ids are positions.",
        THREE_VECTORS "print(im.index.exact(vectors)) --> ExactIndex(inner_product, 3 x 2, cpu)",
        describe_options<ExactIndexOptions>),
    bind<coreset_of>("coreset", "index.coreset(rows [, options]) -> Tensor",
                     "Which rows of [n, D] cover the others best: greedy k-centre after a random projection "
                     "(O. Sener and S. "
                     "Savarese, 2018). Ids [int(n * ratio)] in the order of picking, the same on any number "
                     "of threads. Fails with "
                     "no_result when fewer rows differ.",
                     "local rows = im.tensor.from_table { { 0, 0 }, { 0, 1 }, { 9, 9 } }\n"
                     "local ids = im.index.coreset(rows, { ratio = 0.7, project = false })\n"
                     "print(ids:numel() == 2) --> true",
                     describe_options<CoresetOptions>),
    bind<unit_rows_of>(
        "unit_rows", "index.unit_rows(vectors) -> Tensor",
        "Each row of [n, D] scaled to length one, float32. An error names a row of zeros, or "
        "with a value that is not finite.",
        "print(im.index.unit_rows(im.tensor.from_table { { 3, 4 } }):to_table()[1][1]) --> 0.600..."),
};

constexpr Binding kIndexMethods[] = {
    bind<train>("train", "Index:train(vectors)",
                "Learns clusters, quantisers and transforms from [n, D]. Flat and HNSW need none.",
                THREE_VECTORS "local index = im.index.new(2)\n"
                              "index:train(vectors)\n"
                              "print(#index) --> 0"),
    bind<add>("add", "Index:add(vectors [, ids])",
              "Adds [n, D] under ids, a list or tensor of n integers >= 0; by default the numbers after the "
              "largest so "
              "far, from 0. An id that is there already is an error.",
              THREE_VECTORS "local index = im.index.new(2)\n"
                            "index:add(vectors)\n"
                            "print(#index) --> 3"),
    bind<remove>("remove", "Index:remove(ids) -> integer",
                 "Removes those of the ids that are there, and says how many. Graphs (HNSW) cannot.",
                 THREE_VECTORS "local index = im.index.new(2)\n"
                               "index:add(vectors)\n"
                               "print(index:remove { 0, 2 }) --> 2"),
    bind<search>(
        "search", "Index:search(queries [, options]) -> scores, ids",
        "The k nearest of each of [n, D]: two tensors [n, k], scores (inner products falling, or squared "
        "distances "
        "rising) and ids, ties by the smaller id; -1 where there are fewer. A query's result does not depend "
        "on the "
        "queries asked with it. Queries from another backbone than the index's, or of another size, are an "
        "error.",
        THREE_VECTORS "local index = im.index.new(2)\n"
                      "index:add(vectors)\n"
                      "local scores, ids = index:search(vectors, { k = 2 })\n"
                      "print(ids:to_table()[1][2]) --> 1",
        describe_options<IndexSearchOptions>),
    bind<save>("save", "Index:save(path) -> true",
               "Writes path (a .faiss file that FAISS reads) and path.json (factory, metric, count, source). "
               "Fails with unwritable or no_space.",
               "print(im.index.new(2):save '/tmp/imatch_doc_index.faiss') --> true"),
    bind<set_parameters>("set_parameters", "Index:set_parameters(text)",
                         "FAISS's parameters of a search: 'nprobe=16', 'efSearch=64'.",
                         "local index = im.index.new(4, { factory = 'HNSW8' })\n"
                         "index:set_parameters 'efSearch=64'\n"
                         "print(index:description().factory) --> HNSW8"),
    bind<description>("description", "Index:description() -> table",
                      "factory, metric, dim, count, is_trained and source.",
                      "print(im.index.new(2):description().metric) --> inner_product"),
};

constexpr Binding kExactMethods[] = {
    bind<exact_search>("search", "ExactIndex:search(queries [, options]) -> scores, ids",
                       "As Index:search; queries may lie on any device, results lie on the CPU.",
                       THREE_VECTORS "print(im.index.exact(vectors):search(vectors, { k = 1 })) --> "
                                     "Tensor(3x1 float32 cpu, min 1 mean 1 max 1) Tensor(3x1 int64 ...",
                       describe_options<IndexSearchOptions>),
};

#undef THREE_VECTORS

constexpr Type kTypes[] = {
    describe_type<Index, index_to_string, index_length>("Nearest neighbours by FAISS.", kIndexMethods),
    describe_type<ExactIndex, exact_to_string, exact_length>(
        "Exact nearest neighbours by LibTorch; immutable.", kExactMethods),
};

}  // namespace index_bindings

extern const Module index_module;
const Module index_module{"index", "Nearest neighbours among many vectors.", index_bindings::kFunctions,
                          index_bindings::kTypes};

}  // namespace imatch::host
