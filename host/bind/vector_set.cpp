// SPDX-License-Identifier: Apache-2.0
#include "bind/vector_set.h"

#include <fmt/format.h>

#include "bind/lists.h"
#include "bind/skipped_files.h"
#include "bind/types.h"
#include "binding.h"

namespace imatch::host {
namespace vector_set_bindings {

int name_of_vector(lua_State* L) {
  return push(L, vector_stem(options<VectorName>(L, 1, "retrieval.vector_name")));
}

int variant_in_name(lua_State* L) {
  const auto variant =
      global_variant(check_string(L, 1), is_absent(L, 2) ? "GlobalToken" : check_string(L, 2));
  return push(L, variant ? Json(*variant) : Json(nullptr));
}

int vectors(lua_State* L) {
  return push(L, read_vectors(check_strings(L, 1), is_absent(L, 2) ? 0 : check_number(L, 2)));
}

int write_vector(lua_State* L) {
  const Json outputs = to_json(L, 5, "outputs");
  write_vector_files(check_string(L, 1), arg<Features>(L, 2), check_string(L, 3), to_json(L, 4, "meta"),
                     outputs.value("npy", false), outputs.value("json", false));
  return push(L, true);
}

int differences(lua_State* L) {
  return push(L, Json(differences_between(arg<VectorSet>(L, 1), arg<VectorSet>(L, 2))));
}

int vectors_source(lua_State* L) {
  return push(L, options_to_json(arg<VectorSet>(L, 1).source));
}

int vectors_tensor(lua_State* L) {
  return push(L, arg<VectorSet>(L, 1).vectors);
}

int vectors_paths(lua_State* L) {
  return push(L, Json(arg<VectorSet>(L, 1).paths));
}

int vectors_skipped(lua_State* L) {
  return push(L, skipped_json(arg<VectorSet>(L, 1).skipped));
}

int vectors_length(lua_State* L) {
  return push(L, arg<VectorSet>(L, 1).paths.size());
}

int vectors_to_string(lua_State* L) {
  const auto& set = arg<VectorSet>(L, 1);
  return push(L, fmt::format("VectorSet({} x {}, {} skipped)", set.paths.size(), set.vectors.size(1),
                             set.skipped.size()));
}

constexpr Binding kFunctions[] = {
    bind<name_of_vector>("vector_name", "retrieval.vector_name(fields) -> string",
                         "Where a vector file lies below <root>/<dataset_key>/<alias>/, without its ending.",
                         "local facts = { embedding_cfg = 'res224', variant = 'raw', hub = 'dinov3_vits16', "
                         "normalization = 'LVD', label = 'a', frame = '0001' }\n"
                         "print(im.retrieval.vector_name(facts)) --> "
                         "a/GlobalToken/GlobalToken_res224_raw_dinov3_vits16_LVD_a_0001",
                         describe_options<VectorName>),
    bind<variant_in_name>(
        "global_variant", "retrieval.global_variant(file_name [, kind]) -> string or nil",
        "The variant ('raw', 'sub2') in the name of a file of global vectors of a kind, 'GlobalToken' (which "
        "ReferenceGlobal... and QueryGlobal... are too) unless another is named; nil for another file.",
        "assert(im.retrieval.global_variant 'GlobalToken_res224_sub2_dinov3_vits16_LVD_a_1.npy' == 'sub2')"),
    bind<vectors>(
        "vectors", "retrieval.vectors(paths [, find_ms]) -> VectorSet",
        "Global vectors of many .npy files, each scaled to length one, with what their _meta.json say of the "
        "image. Truncated files, NaN, zeros and other sizes are skipped by name. `find_ms`: how long it took "
        "to "
        "list the files, which goes into the times of search results.",
        "print(#im.retrieval.vectors { 'no_such.npy' }:skipped()) --> 1"),
    bind<differences>(
        "differences", "retrieval.differences(queries, base) -> list of strings",
        "What the meta files of two VectorSets say of the making of their vectors that is not the same for "
        "all: "
        "weight_id, embedding_cfg, target_res, and whether they name a backbone. Fails with bad_format where "
        "source() is not the same: such vectors cannot be compared.",
        "local none = im.retrieval.vectors {}\nassert(#im.retrieval.differences(none, none) == 0)"),
    bind<write_vector>(
        "write_vector", "retrieval.write_vector(stem, features, kind, meta, outputs) -> true",
        "Writes <stem>.npy (outputs.npy) and <stem>_meta.json (outputs.json): of kind 'GlobalToken' [D], "
        "'PatchToken' [tokens, D] or 'PatchGrid' [rows, cols, D].",
        "local f = im.features.from_tensors(im.tensor.from_table { 1 }, im.tensor.from_table { { 1 } }, { "
        "rows = 1, cols = 1 })\n"
        "print(im.retrieval.write_vector('/tmp/imatch_doc_vector', f, 'GlobalToken', { config = {} }, { npy "
        "= true })) --> true"),
};

constexpr Binding kMethods[] = {
    bind<vectors_tensor>("tensor", "VectorSet:tensor() -> Tensor", "[n, D] float32, rows of length one.",
                         "print(im.retrieval.vectors({}):tensor()) --> Tensor(0x0 float32 cpu)"),
    bind<vectors_source>(
        "source", "VectorSet:source() -> {backbone, weights_sha256, global}",
        "What the meta files say of the backbone and of the vector that stands for an image; "
        "empty texts when they say nothing.",
        "print('<' .. im.retrieval.vectors({}):source().backbone .. '>') --> <>"),
    bind<vectors_paths>("paths", "VectorSet:paths() -> list", "The file of each row.",
                        "print(#im.retrieval.vectors({}):paths()) --> 0"),
    bind<vectors_skipped>("skipped", "VectorSet:skipped() -> list of {path, reason}", "What was left out.",
                          "print(#im.retrieval.vectors({}):skipped()) --> 0"),
};

constexpr Type kTypes[] = {
    describe_type<VectorSet, vectors_to_string, vectors_length>("Global vectors of files.", kMethods),
};

}  // namespace vector_set_bindings

extern const Module vector_set_module;
const Module vector_set_module{"retrieval", "", vector_set_bindings::kFunctions, vector_set_bindings::kTypes};

}  // namespace imatch::host
