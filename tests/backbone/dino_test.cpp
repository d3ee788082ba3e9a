// SPDX-License-Identifier: Apache-2.0
#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <filesystem>
#include "catch.h"

#include "backbone/backbone.h"
#include "backbone/features_of.h"
#include "backbone/hf_folder.h"
#include "backbone/hf_folder_names.h"
#include "backbone/pictures.h"
#include "backbone/weights_search.h"
#include "base/error.h"
#include "base/file.h"
#include "base/sha256.h"
#include "io/json_file.h"
#include "io/safetensors.h"
#include "nn/vision_transformer_positions.h"
#include "scratch.h"

namespace {

using namespace imatch;
using imatch::testing::difference;
using imatch::testing::features_of;
using imatch::testing::picture;
using imatch::testing::Scratch;

/// Random weights of vits16 with its official names, cut to a few blocks.
StateDict vits16(int depth) {
  constexpr std::int64_t kWidth = 384, kWide = 1536;
  StateDict state;
  const auto random = [&](const std::string& name, std::vector<std::int64_t> shape) {
    const double fan_in = shape.size() > 1 ? static_cast<double>(at::zeros(shape)[0].numel()) : 4;
    state.add(name, at::randn(shape).div(std::sqrt(fan_in)));
  };
  const auto linear = [&](const std::string& name, std::int64_t in, std::int64_t out) {
    random(name + ".weight", {out, in});
    random(name + ".bias", {out});
  };
  const auto norm = [&](const std::string& name) {
    random(name + ".weight", {kWidth});
    random(name + ".bias", {kWidth});
  };
  state.add("cls_token", at::randn({1, 1, kWidth}));
  state.add("storage_tokens", at::randn({1, 4, kWidth}));
  random("patch_embed.proj.weight", {kWidth, 3, 16, 16});
  random("patch_embed.proj.bias", {kWidth});
  state.add("rope_embed.periods", rotary_periods(64, 100));
  for (int n = 0; n < depth; ++n) {
    const std::string block = "blocks." + std::to_string(n) + ".";
    norm(block + "norm1");
    linear(block + "attn.qkv", kWidth, 3 * kWidth);
    state.add(block + "attn.qkv.bias_mask", at::full({3 * kWidth}, 1.0));
    linear(block + "attn.proj", kWidth, kWidth);
    random(block + "ls1.gamma", {kWidth});
    norm(block + "norm2");
    linear(block + "mlp.fc1", kWidth, kWide);
    linear(block + "mlp.fc2", kWide, kWidth);
    random(block + "ls2.gamma", {kWidth});
  }
  norm("norm");
  return state;
}

/// The same with one tensor left out or put in another's place.
StateDict changed(const StateDict& state, const std::string& name, const at::Tensor& tensor = {}) {
  StateDict result;
  for (const auto& [key, value] : state)
    if (key != name) result.add(key, value);
  if (tensor.defined()) result.add(name, tensor);
  return result;
}

std::string written(const Scratch& folder, const StateDict& state,
                    const std::string& name = "w.safetensors") {
  write_safetensors(folder / name, {state, {}});
  return folder / name;
}

/// A fresh model, since equal specifications share one.
std::shared_ptr<const Backbone> opened(const std::string& spec, const std::string& weights) {
  close_backbones();
  return open_backbone(spec + " device=cpu", {{"weights", weights}});
}

std::string refusal(const std::string& spec, const std::string& weights,
                    const std::string& code = code::kBadWeights) {
  try {
    opened(spec, weights);
  } catch (const Failure& failure) {
    CHECK(failure.code() == code);
    return failure.what();
  }
  return "";
}

TEST_CASE("Dino: a missing, extra, misshaped, integer or NaN tensor is named with its file") {
  const Scratch folder;
  const StateDict good = vits16(1);
  const auto refused = [&](const std::string& name, const at::Tensor& tensor = {}) {
    return refusal("vits16 depth=1", written(folder, changed(good, name, tensor)));
  };
  CHECK(refusal("vits16 depth=1", written(folder, good)).empty());
  CHECK_THAT(refused("blocks.0.ls2.gamma"), Catch::Contains("'blocks.0.ls2.gamma' is missing") &&
                                                Catch::Contains(folder / "w.safetensors") &&
                                                Catch::Contains("vits16 weights"));
  CHECK_THAT(refused("blocks.0.attn.qkv.bias_mask"), Catch::Contains("bias_mask' is missing"));
  CHECK_THAT(refused("pos_embed", at::zeros({1, 1370, 384})), Catch::Contains("'pos_embed' is not part"));
  CHECK_THAT(refused("storage_tokens", at::zeros({1, 5, 384})),
             Catch::Contains("[1, 5, 384]; expected [1, 4, 384]"));
  CHECK_THAT(refused("norm.bias", at::zeros({384}, at::kLong)), Catch::Contains("expected a floating-point"));
  at::Tensor broken = good.find("blocks.0.mlp.fc2.weight")->clone();
  broken[17][5] = NAN;
  CHECK_THAT(refused("blocks.0.mlp.fc2.weight", broken),
             Catch::Contains("'blocks.0.mlp.fc2.weight' has elements that are not finite"));
  broken[17][5] = INFINITY;
  CHECK_THAT(refused("blocks.0.mlp.fc2.weight", broken), Catch::Contains("not finite"));
  for (const char* of_training : {"mask_token", "local_cls_norm.weight"})
    CHECK(refused(of_training, at::full({1, 384}, NAN)).empty());
}

TEST_CASE("Dino: weights of another model are refused") {
  const Scratch folder;
  const std::string weights = written(folder, vits16(1));
  CHECK_THAT(refusal("vitb16 depth=1", weights), Catch::Contains("expected [768, 3, 16, 16]"));
  CHECK_THAT(refusal("vits14 depth=1", weights), Catch::Contains("expected [384, 3, 14, 14]"));
  CHECK_THAT(refusal("vits16+ depth=1", weights), Catch::Contains("'blocks.0.mlp.w1.weight' is missing"));
  CHECK_THAT(refusal("vits16 depth=2", weights), Catch::Contains("'blocks.1.norm1.weight' is missing"));
  CHECK_THAT(refusal("cxTiny", weights),
             Catch::Contains("the file holds 'blocks' (") && Catch::Contains("'cls_token'"));
  CHECK_THAT(refusal("cxTiny", weights), Catch::Contains("'downsample_layers.0.0.weight' is missing"));
}

TEST_CASE("Dino: layers, facets and their errors") {
  const Scratch folder;
  const std::string weights = written(folder, vits16(2));
  const Image image = picture(80, 48);
  const auto of = [&](const std::string& more) {
    return features_of(*opened("vits16 depth=2 image_size=48" + more, weights), image);
  };
  const Features last = of("");
  CHECK(last.rows == 3);
  CHECK(last.cols == 5);
  CHECK(last.tokens.sizes() == at::IntArrayRef{15, 384});
  CHECK(last.global.sizes() == at::IntArrayRef{384});
  CHECK(difference(of(" layer=1").tokens, last.tokens) == 0);
  CHECK(difference(of(" layer=-2").tokens, of(" layer=0").tokens) == 0);
  CHECK(difference(of(" layer=0").tokens, last.tokens) > 0.1);
  for (const std::string facet : {"key", "query", "value"}) {
    const Features part = of(" facet=" + facet);
    CHECK(part.tokens.sizes() == last.tokens.sizes());
    CHECK(difference(part.tokens, last.tokens) > 0.1);
    CHECK(difference(part.global, last.global) == 0);
  }
  CHECK_THROWS_WITH(of(" layer=2"), Catch::Contains("layer: 2") && Catch::Contains("[-2, 1]"));
  CHECK_THROWS_WITH(of(" facet=keys"), Catch::Contains("facet"));
}

TEST_CASE("Dino: a facet is what the block's projection makes of the normed tokens") {
  const Scratch folder;
  StateDict state = vits16(2);
  // A projection that copies: keys of the second block are its normed input, which is the first block's
  // output.
  const at::Tensor qkv = at::zeros({3 * 384, 384});
  for (int i = 0; i < 384; ++i) qkv[384 + i][i] = 1;
  state = changed(state, "blocks.1.attn.qkv.weight", qkv);
  state = changed(state, "blocks.1.attn.qkv.bias", at::zeros({3 * 384}));
  for (const std::string end : {"weight", "bias"})
    state = changed(state, "blocks.1.norm1." + end, *state.find("norm." + end));
  const std::string weights = written(folder, state);
  const Image image = picture(64, 48);
  const Features keys = features_of(*opened("vits16 depth=2 image_size=48 facet=key", weights), image);
  const Features tokens = features_of(*opened("vits16 depth=2 image_size=48 layer=0", weights), image);
  CHECK(difference(keys.tokens, tokens.tokens) < 1e-5);
}

TEST_CASE("Dino: the global vector is the one that is asked for") {
  const Scratch folder;
  const std::string weights = written(folder, vits16(1));
  const Image image = picture(64, 48);
  const auto of = [&](const std::string& more) {
    return features_of(*opened("vits16 depth=1 image_size=48" + more, weights), image);
  };
  const Features usual = of("");
  CHECK(difference(of(" global=class").global, usual.global) == 0);
  CHECK(difference(of(" global=mean_patches").global, usual.tokens.mean(0)) < 1e-5);
  CHECK(difference(of(" global=mean_prenorm").global, usual.global) > 0.1);
  CHECK(difference(of(" global=gem").tokens, usual.tokens) == 0);
  CHECK_THROWS_WITH(of(" global=mean"), Catch::Contains("'mean_prenorm'"));
}

TEST_CASE("Dino: images of a batch do not see each other, and reduced types stay near") {
  const Scratch folder;
  const std::string weights = written(folder, vits16(1));
  const Image a = picture(64, 48), b = picture(48, 64), c = picture(64, 48, 9, 5);
  const Image* three[] = {&a, &b, &c};
  const auto batched = opened("vits16 depth=1 image_size=48 batch_size=3", weights)->extract(three);
  const auto model = opened("vits16 depth=1 image_size=48", weights);
  for (int i = 0; i < 3; ++i)
    CHECK(difference(batched[i].tokens, features_of(*model, *three[i]).tokens) < 1e-5);
  for (const std::string dtype : {"bf16", "fp16"}) {
    const Features low = features_of(*opened("vits16 depth=1 image_size=48 dtype=" + dtype, weights), a);
    CHECK(low.tokens.scalar_type() == at::kFloat);
    const double drift = difference(low.tokens, batched[0].tokens);
    CHECK(drift > 0);
    CHECK(drift < 0.3);
  }
}

TEST_CASE("Dino: the specification opens the same again and the digest is that of the file") {
  const Scratch folder;
  const std::string weights = written(folder, vits16(1));
  const auto model = opened("vits16 depth=1 image_size=48", weights);
  CHECK(model->spec() ==
        "vits16 image_size=48 resize=shorter interpolation=bicubic arithmetic=uint8 layer=-1 facet=token "
        "global=class depth=1 dtype=fp32 weights=" +
            weights);
  CHECK(open_backbone(model->spec())->spec() == model->spec());
  CHECK(model->weights_sha256() == sha256_file(weights));
  CHECK(model->stride() == 16);
}

TEST_CASE("find_weights: official names in folders below the root, then folders of transformers") {
  const Scratch root;
  const PublishedWeights wanted{"vits14", {"a.pth", "dinov2-small/config.json"}, "https://example.org/a"};
  try {
    find_weights(wanted, root.path());
    FAIL("found weights in an empty folder");
  } catch (const Failure& failure) {
    CHECK(failure.code() == code::kNotFound);
    CHECK_THAT(failure.what(), Catch::Contains("the file 'a.pth' or the folder 'dinov2-small'") &&
                                   Catch::Contains(root.path()) && Catch::Contains("https://example.org/a"));
  }
  write_file_atomically(root / "hf/not-dinov2-small/config.json", "{}");
  write_file_atomically(root / "01_weights/not_a.pth", "x");
  CHECK_THROWS_AS(find_weights(wanted, root.path()), Failure);
  write_file_atomically(root / "hf/dinov2-small/config.json", "{}");
  CHECK(find_weights(wanted, root.path()) == root / "hf/dinov2-small");
  write_file_atomically(root / "01_weights/a.pth", "x");
  CHECK(find_weights(wanted, root.path()) == root / "01_weights/a.pth");
}

TEST_CASE("hf_folder_names: the names of saved folders") {
  CHECK(hf_dinov2_name("blocks.3.attn.q.bias") == "encoder.layer.3.attention.attention.query.bias");
  CHECK(hf_dinov2_name("norm.weight") == "layernorm.weight");
  CHECK(hf_dinov2_name("blocks.11.norm1.weight") == "encoder.layer.11.norm1.weight");
  CHECK(hf_dinov3_name("blocks.0.mlp.fc1.weight") == "layer.0.mlp.up_proj.weight");
  CHECK(hf_dinov3_name("storage_tokens") == "embeddings.register_tokens");
  CHECK(hf_dinov3_convnext_name("downsample_layers.2.1.bias") == "stages.2.downsample_layers.1.bias");
  CHECK(hf_dinov3_convnext_name("stages.2.17.norm.bias") == "stages.2.layers.17.layer_norm.bias");
  CHECK(hf_dinov3_convnext_name("norm.bias") == "layer_norm.bias");
}

TEST_CASE("read_hf_folder: tensors in several files, and indexes that lie") {
  const Scratch folder;
  write_json(folder / "config.json", {{"model_type", "dinov2"}});
  StateDict one, two;
  one.add("a", at::full({2}, 1.0));
  two.add("b", at::full({3}, 2.0));
  written(folder, one, "m1.safetensors");
  written(folder, two, "m2.safetensors");
  const auto index = [&](const Json& map) {
    write_json(folder / "model.safetensors.index.json", {{"weight_map", map}});
  };
  index({{"a", "m1.safetensors"}, {"b", "m2.safetensors"}});
  const HfFolder read = read_hf_folder(folder.path());
  CHECK(read.tensors.size() == 2);
  CHECK(difference(*read.tensors.find("b"), at::full({3}, 2.0)) == 0);
  CHECK(config_text(read.config, "model_type", "") == "dinov2");
  CHECK(config_number(read.config, "patch_size", 14) == 14);
  std::string lines;
  for (const std::string name : {"config.json", "m1.safetensors", "m2.safetensors"})
    lines += sha256_file(folder / name) + "  " + name + "\n";
  CHECK(read.sha256 == sha256_hex(lines));

  index({{"a", "m2.safetensors"}});
  CHECK_THROWS_WITH(read_hf_folder(folder.path()),
                    Catch::Contains("'a' is not in the file 'm2.safetensors'"));
  index({{"a", "../m1.safetensors"}});
  CHECK_THROWS_WITH(read_hf_folder(folder.path()), Catch::Contains("is not in the folder"));
  index({{"a", 1}});
  CHECK_THROWS_WITH(read_hf_folder(folder.path()), Catch::Contains("is no text"));
  index({{"a", "m3.safetensors"}});
  CHECK_THROWS_AS(read_hf_folder(folder.path()), Failure);
}

TEST_CASE("Dino: a folder whose configuration is another model's is refused") {
  const Scratch folder;
  written(folder, vits16(1), "model.safetensors");
  const auto refused = [&](const Json& config) {
    write_json(folder / "config.json", config);
    return refusal("vits16 depth=1", folder.path());
  };
  Json config{{"model_type", "dinov3_vit"}, {"num_attention_heads", 6}, {"num_hidden_layers", 1}};
  CHECK_THAT(refused(config), Catch::Contains("'embeddings.patch_embeddings.weight' is missing"));
  config["num_attention_heads"] = 12;
  CHECK_THAT(refused(config), Catch::Contains("num_attention_heads is 12; expected 6"));
  config["model_type"] = "dinov2";
  CHECK_THAT(refused(config), Catch::Contains("model_type is 'dinov2'; expected 'dinov3_vit'"));
  config["num_attention_heads"] = "six";
  write_json(folder / "config.json", config);
  config["model_type"] = "dinov3_vit";
  write_json(folder / "config.json", config);
  CHECK_THAT(refusal("vits16 depth=1", folder.path(), code::kBadFormat),
             Catch::Contains("expected a number"));
}

TEST_CASE("RotaryPositions: prefix tokens stay, patches keep their norm and differ by their place") {
  const RotaryPositions positions(rotary_periods(64, 100));
  const auto tables = positions.tables(3, 5, 5);
  CHECK(tables.cos.sizes() == at::IntArrayRef{20, 32});
  const at::Tensor heads = at::randn({1, 1, 1, 64}).expand({2, 6, 20, 64});
  const at::Tensor rotated = RotaryPositions::rotated(heads, tables);
  CHECK(difference(rotated.narrow(2, 0, 5), heads.narrow(2, 0, 5)) == 0);
  CHECK(difference(rotated.square().sum(3), heads.square().sum(3)) < 1e-4);
  CHECK(difference(rotated.select(2, 5), rotated.select(2, 6)) > 0.1);
  // The middle of an odd grid is at the origin: not rotated.
  CHECK(difference(rotated.select(2, 5 + 7), heads.select(2, 5 + 7)) < 1e-6);
  // First angle of y in row 0 of 3: coordinate -2/3, period 1.
  CHECK(std::abs(tables.cos[5][0].item<double>() - std::cos(2 * M_PI * 2 / 3)) < 1e-6);
  CHECK(std::abs(tables.sin[5][0].item<double>() + std::sin(2 * M_PI * 2 / 3)) < 1e-6);
  CHECK(std::abs(tables.sin[5][16].item<double>() + std::sin(2 * M_PI * 4 / 5)) < 1e-6);
}

}  // namespace
