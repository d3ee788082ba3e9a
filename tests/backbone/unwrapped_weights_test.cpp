// SPDX-License-Identifier: Apache-2.0
#include "backbone/unwrapped_weights.h"

#include <ATen/ops/full.h>

#include <map>

#include "catch.h"

using namespace imatch;

namespace {

constexpr std::string_view kLandmarks[] = {"patch_embed.proj.weight"};
constexpr std::string_view kHeads[] = {"head.", "classifier."};

/// Names with a number each, which is the tensor's only element.
StateDict state(const std::map<std::string, int>& tensors) {
  StateDict result;
  for (const auto& [name, value] : tensors) result.add(name, at::full({1}, value));
  return result;
}

std::map<std::string, int> unwrapped(const std::map<std::string, int>& file, std::string* rule = nullptr) {
  const UnwrappedWeights weights = unwrap_weights(state(file), kLandmarks, kHeads);
  if (rule) *rule = weights.rule;
  std::map<std::string, int> result;
  for (const auto& [name, tensor] : weights.tensors) result[name] = tensor.item<int>();
  return result;
}

}  // namespace

TEST_CASE("the network is found under whatever prefix, and the rule is told") {
  const std::map<std::string, int> plain{{"patch_embed.proj.weight", 1}, {"blocks.0.norm1.weight", 2}};
  std::string rule = "x";
  CHECK(unwrapped(plain, &rule) == plain);
  CHECK(rule.empty());
  for (const std::string prefix :
       {"model.", "state_dict.module.", "module.backbone.", "teacher.backbone.", "dinov2.", "a.b.c.d."}) {
    std::map<std::string, int> file{{"optimizer.state.0.exp_avg", 9}};
    for (const auto& [name, value] : plain) file[prefix + name] = value;
    CHECK(unwrapped(file, &rule) == plain);
    CHECK(rule == "of '" + prefix + "'");
  }
}

TEST_CASE("the teacher comes before the average, any other, and the student") {
  const auto taken = [](std::initializer_list<const char*> prefixes) {
    std::map<std::string, int> file;
    int number = 0;
    for (const char* prefix : prefixes) file[std::string(prefix) + "patch_embed.proj.weight"] = number++;
    return unwrapped(file).at("patch_embed.proj.weight");
  };
  CHECK(taken({"student.backbone.", "teacher.backbone."}) == 1);
  CHECK(taken({"model.", "model_ema."}) == 1);
  CHECK(taken({"student.", "model.backbone."}) == 1);
  CHECK(taken({"model.", "swa.model."}) == 0);
  CHECK(taken({"teacher.", ""}) == 1);
}

TEST_CASE("wrappers, chunks of blocks and heads are taken out") {
  std::string rule;
  CHECK(unwrapped({{"module._orig_mod.patch_embed.proj.weight", 1},
                   {"module._orig_mod.blocks.0.0.norm1.weight", 2},
                   {"module._orig_mod.blocks.0.1._checkpoint_wrapped_module.norm1.weight", 3},
                   {"module._orig_mod.blocks.1.2.norm1.weight", 4},
                   {"module._orig_mod.head.weight", 5}},
                  &rule) == std::map<std::string, int>{{"patch_embed.proj.weight", 1},
                                                       {"blocks.0.norm1.weight", 2},
                                                       {"blocks.1.norm1.weight", 3},
                                                       {"blocks.2.norm1.weight", 4}});
  CHECK(rule == "of 'module.', blocks out of chunks, without 'head.'");
  // Chunks that count from 0 each.
  CHECK(unwrapped(
            {{"patch_embed.proj.weight", 1}, {"blocks.0.0.a", 2}, {"blocks.0.1.a", 3}, {"blocks.1.0.a", 4}})
            .at("blocks.2.a") == 4);
}

TEST_CASE("a file without the network comes back as it is, and blocks are counted up to a hole") {
  const std::map<std::string, int> other{{"conv1.weight", 1}, {"head.weight", 2}};
  CHECK(unwrapped(other) == other);
  CHECK(count_blocks(state({{"blocks.0.a", 1}, {"blocks.1.a", 1}, {"blocks.3.a", 1}, {"blocks.x", 1}}),
                     "blocks.") == 2);
  CHECK(count_blocks(state(other), "blocks.") == 0);
}
