// SPDX-License-Identifier: Apache-2.0
#include "match/kept_tokens.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>
#include "catch.h"

namespace imatch {
namespace {

Features features_of(const std::string& key) {
  Features features;
  features.tokens = at::randn({6, 8});
  features.rows = 2, features.cols = 3;
  features.key = key;
  return features;
}

}  // namespace

TEST_CASE("selected tokens are made once for an image and a selection") {
  KeptTokens kept(1 << 20);
  const Features a = features_of("a"), nameless = features_of("");
  const SelectedTokens first = kept.on(c10::kCPU, a, {}, "a");
  const SelectedTokens plain = select_tokens(a, {}, "a");
  CHECK(at::equal(first.unit, plain.unit));
  CHECK(at::equal(first.indices, plain.indices));
  CHECK(kept.on(c10::kCPU, a, {}, "a").unit.is_same(first.unit));
  CHECK(kept.on(c10::kCPU, a, {.keypoint_th = 0, .max_features = 2}, "a").unit.size(0) == 2);
  const SelectedTokens unkept = kept.on(c10::kCPU, nameless, {}, "a");
  CHECK_FALSE(kept.on(c10::kCPU, nameless, {}, "a").unit.is_same(unkept.unit));
}

TEST_CASE("kept tokens stay within their limit") {
  const std::size_t of_one = 6 * 8 * sizeof(float) + 64;
  KeptTokens kept(2 * of_one);
  const TokenSelection all{.keypoint_th = 0, .max_features = 6};
  const Features a = features_of("a"), b = features_of("b"), c = features_of("c");
  const SelectedTokens first = kept.on(c10::kCPU, a, all, "a");
  for (const Features* features : {&b, &c}) kept.on(c10::kCPU, *features, all, "a");
  CHECK(kept.bytes() <= 2 * of_one);
  CHECK_FALSE(kept.on(c10::kCPU, a, all, "a").unit.is_same(first.unit));
  KeptTokens none(0);
  CHECK(at::equal(none.on(c10::kCPU, a, all, "a").unit, first.unit));
  CHECK(none.bytes() == 0);
}

}  // namespace imatch
