// SPDX-License-Identifier: Apache-2.0
#include "retrieval/vector_files.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include "catch.h"

#include "base/error.h"
#include "base/file.h"
#include "io/json_file.h"
#include "io/npy.h"
#include "scratch.h"

namespace imatch {
namespace {

using testing::Scratch;

TEST_CASE("the name of a vector file says what is in it") {
  CHECK(vector_stem({.embedding_cfg = "res1024",
                     .variant = "raw",
                     .hub = "dinov3_vits16",
                     .normalization = "LVD",
                     .label = "L1",
                     .frame = "0007"}) == "L1/GlobalToken/GlobalToken_res1024_raw_dinov3_vits16_LVD_L1_0007");
  for (const auto& [name, variant] : {std::pair{"GlobalToken_res8_raw_h_LVD_L_1.npy", "raw"},
                                      {"GlobalToken_res8_sub12_h_LVD_L_1.npy", "sub12"},
                                      {"ReferenceGlobal_x.npy", "raw"},
                                      {"QueryGlobal_sub3_x.npy", "sub3"},
                                      {"GlobalToken_subway_sub2_L.npy", "sub2"}}) {
    INFO(name);
    CHECK(global_variant(name) == variant);
  }
  for (const char* name :
       {"PatchToken_res8_raw_h.npy", "GlobalToken_res8_raw_h_meta.json", "x_GlobalToken_raw_.npy"})
    CHECK_FALSE(global_variant(name));
  CHECK(global_variant("GlobalMeanPatches_res8_sub2_h_LVD_L_1.npy", "GlobalMeanPatches") == "sub2");
  CHECK_FALSE(global_variant("GlobalMeanPatches_res8_sub2_h_LVD_L_1.npy"));
  CHECK_FALSE(global_variant("GlobalToken_res8_raw_h_LVD_L_1.npy", "GlobalMean"));
  CHECK_FALSE(global_variant("ReferenceGlobal_x.npy", "GlobalClass"));
}

VectorSet set_of(const Scratch& scratch, const std::string& name, const std::vector<Json>& configs) {
  std::vector<std::string> paths;
  for (std::size_t i = 0; i < configs.size(); ++i) {
    const std::string stem = scratch / name + std::to_string(i);
    write_npy(stem + ".npy", at::ones({3}));
    write_json(stem + "_meta.json", {{"config", configs[i]}});
    paths.push_back(stem + ".npy");
  }
  return read_vectors(paths);
}

TEST_CASE("vectors that say how they were made are compared, those of other kinds left out or refused") {
  const Scratch scratch;
  const Json foreign{{"weight_id", "vits16"}, {"embedding_cfg", "res1024"}, {"target_res", 1024}};
  Json own = foreign, other = foreign;
  own.update({{"backbone", "vits16 x"}, {"weights_sha256", "ab"}, {"global", "mean_prenorm"}});
  other.update({{"backbone", "vits16 y"}, {"global", "class"}});
  const VectorSet mixed = set_of(scratch, "mixed", {foreign, own, other, foreign});
  CHECK(mixed.source.global == "mean_prenorm");
  CHECK((mixed.source.backbone == "vits16 x" && mixed.source.weights_sha256 == "ab"));
  REQUIRE(mixed.skipped.size() == 1);
  CHECK_THAT(mixed.skipped[0].reason, Catch::Contains("global 'class'"));
  CHECK(mixed.origins.differences() ==
        std::vector<std::string>{"backbone: 2 of 3 vectors do not say which one made them"});
  CHECK_THROWS_AS(differences_between(mixed, set_of(scratch, "other", {other})), Failure);
  Json smaller = foreign;
  smaller["target_res"] = 768;
  smaller.erase("embedding_cfg");
  const VectorSet one = set_of(scratch, "one", {foreign}), two = set_of(scratch, "two", {smaller, smaller});
  CHECK(one.origins.differences().empty());
  CHECK(differences_between(one, two) ==
        std::vector<std::string>{"target_res: '1024' (1 vector), '768' (2 vectors)"});
  CHECK(set_of(scratch, "bare", {Json::object()}).source.global.empty());
}

TEST_CASE("features are written as one vector, as tokens and as a grid, with what is said of them") {
  const Scratch scratch;
  Features features;
  features.global = at::arange(4).to(at::kFloat);
  features.tokens = at::arange(24).view({6, 4}).to(at::kFloat);
  features.rows = 2;
  features.cols = 3;
  const Json meta{{"image", "a.jpg"}};
  for (const auto& [kind, entry, shape] : {std::tuple{"GlobalToken", "vector", std::vector<std::int64_t>{4}},
                                           {"PatchToken", "patch_tokens", {6, 4}},
                                           {"PatchGrid", "patch_grid", {2, 3, 4}}}) {
    INFO(kind);
    const std::string stem = scratch / std::string("below/") + kind;
    write_vector_files(stem, features, kind, meta, true, true);
    const at::Tensor written = read_npy(stem + ".npy");
    CHECK(written.sizes() == at::IntArrayRef(shape));
    CHECK(at::equal(written.flatten(),
                    kind == std::string("GlobalToken") ? features.global : features.tokens.flatten()));
    const Json said = read_json(stem + "_meta.json");
    CHECK(said["image"] == "a.jpg");
    CHECK(said["files"][entry]["path"] == stem + ".npy");
    CHECK(said["files"][entry]["size_bytes"] == std::filesystem::file_size(stem + ".npy"));
  }
  write_vector_files(scratch / "alone", features, "GlobalToken", meta, false, true);
  CHECK_FALSE(std::filesystem::exists(scratch / "alone.npy"));
  CHECK_FALSE(read_json(scratch / "alone_meta.json").contains("files"));
  CHECK_THROWS_WITH(write_vector_files(scratch / "x", features, "Token", meta, true, true),
                    Catch::Contains("'Token' is not known"));
}

TEST_CASE("vectors are read with length one and with what their meta files say") {
  const Scratch scratch;
  write_npy(scratch / "a.npy", at::tensor({3.f, 0.f, 4.f}));
  write_npy(scratch / "b.npy", at::tensor({0.f, 2.f, 0.f}).view({1, 3}).to(at::kHalf));
  write_npy(scratch / "c.npy", at::ones({3}));
  write_json(scratch / "a_meta.json", {{"image", "photos/a.jpg"},
                                       {"config", {{"backbone", "net"}, {"weights_sha256", "12"}}},
                                       {"timing_ms", {{"global_forward", 5}, {"pipeline_total", 7.5}}}});
  write_json(scratch / "b_meta.json", {{"config", {{"reference", {{"source_file", "b.tif"}}}}}});
  write_file_atomically(scratch / "c_meta.json", "{ damaged");
  const VectorSet set = read_vectors({scratch / "a.npy", scratch / "b.npy", scratch / "c.npy"});
  CHECK(set.skipped.empty());
  REQUIRE(set.vectors.sizes() == at::IntArrayRef({3, 3}));
  CHECK(set.vectors[0].allclose(at::tensor({0.6f, 0.f, 0.8f})));
  CHECK(set.vectors[1].allclose(at::tensor({0.f, 1.f, 0.f})));
  CHECK(set.images == std::vector<std::string>{"photos/a.jpg", "b.tif", ""});
  CHECK(set.metas[0] == scratch / "a_meta.json");
  CHECK(set.metas[2].empty());
  CHECK(set.embed_ms[0] == 7.5);
  CHECK(std::isnan(set.embed_ms[1]));
  CHECK(set.source.backbone == "net");
}

TEST_CASE("vectors that cannot be used are left out by name, the others stay") {
  const Scratch scratch;
  const float nan = std::numeric_limits<float>::quiet_NaN();
  write_npy(scratch / "good.npy", at::ones({3}));
  write_json(scratch / "good_meta.json", {{"config", {{"backbone", "net"}}}});
  write_npy(scratch / "nan.npy", at::tensor({1.f, nan, 1.f}));
  write_npy(scratch / "zero.npy", at::zeros({3}));
  write_npy(scratch / "long.npy", at::ones({4}));
  write_npy(scratch / "matrix.npy", at::ones({2, 3}));
  write_npy(scratch / "other.npy", at::ones({3}));
  write_json(scratch / "other_meta.json", {{"config", {{"backbone", "another"}}}});
  const std::string bytes = npy_bytes(at::ones({3}));
  write_file_atomically(scratch / "short.npy", bytes.substr(0, bytes.size() - 1));
  std::vector<std::string> paths;
  for (const char* name : {"good", "nan", "zero", "long", "matrix", "other", "short", "absent"})
    paths.push_back(scratch / name + ".npy");
  const VectorSet set = read_vectors(paths);
  CHECK(set.paths == std::vector<std::string>{scratch / "good.npy"});
  CHECK(set.vectors.size(0) == 1);
  const char* reasons[] = {"NaN", "zero", "4 dimensions", "expected one vector", "'another'", "", ""};
  REQUIRE(set.skipped.size() == 7);
  for (std::size_t i = 0; i < 7; ++i) {
    INFO(set.skipped[i].reason);
    CHECK(set.skipped[i].path == paths[i + 1]);
    CHECK(set.skipped[i].reason.find(reasons[i]) != std::string::npos);
    CHECK(set.skipped[i].reason.find(paths[i + 1]) != std::string::npos);
  }
  CHECK(read_vectors({scratch / "absent.npy"}).vectors.size(0) == 0);
}

}  // namespace
}  // namespace imatch
