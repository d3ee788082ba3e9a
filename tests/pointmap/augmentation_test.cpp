// SPDX-License-Identifier: Apache-2.0
#include "pointmap/augmentation.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/linspace.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/zeros.h>

#include "catch.h"

namespace imatch {
namespace {

constexpr std::int64_t kSide = 16, kLayers = 2;

/// The middle of the picture is occupied; every value of it is another one.
struct Sample {
  PointMapInput input;
  at::Tensor target;

  Sample() {
    auto generator = at::make_generator<at::CPUGeneratorImpl>(5);
    input.mask = at::zeros({kSide, kSide});
    input.mask.narrow(0, 4, 8).narrow(1, 4, 8).fill_(1);
    input.features = at::rand({3, kSide, kSide}, generator) * input.mask;
    target = at::linspace(-1, 1, 7 * kLayers * kSide * kSide).reshape({kLayers, 7, kSide, kSide}).clone();
    target.select(1, 6).fill_(1);
    target = (target * input.mask).reshape({7 * kLayers, kSide, kSide});
  }
  Sample changed(const PointMapAugmentation& how, std::uint64_t seed) const {
    Sample copy = *this;
    copy.input.features = input.features.clone();
    copy.target = target.clone();
    augment(copy.input, copy.target, how, seed);
    return copy;
  }
  bool operator==(const Sample& other) const {
    return at::equal(input.features, other.input.features) && at::equal(input.mask, other.input.mask) &&
           at::equal(target, other.target);
  }
};

/// The first seed with which the sample is mirrored, or is not.
std::uint64_t seed_that_mirrors(const Sample& sample, bool mirrored) {
  for (std::uint64_t seed = 0;; ++seed)
    if (!(sample.changed({.flip = "x"}, seed) == sample) == mirrored) return seed;
}

TEST_CASE("augmentation: off leaves a sample as it is, and a seed gives the same twice") {
  const Sample sample;
  CHECK(sample.changed({}, 3) == sample);
  const PointMapAugmentation all{.crop = 0.4, .colour = 0.3, .background = 1, .flip = "x"};
  CHECK(sample.changed(all, 3) == sample.changed(all, 3));
  CHECK_FALSE(sample.changed(all, 3) == sample.changed(all, 4));
}

TEST_CASE("augmentation: a mirrored sample changes the sign of what points sideways") {
  const Sample sample;
  const std::uint64_t seed = seed_that_mirrors(sample, true);
  const Sample mirrored = sample.changed({.flip = "z"}, seed);
  CHECK(at::equal(mirrored.input.features, sample.input.features.flip({2})));
  const at::Tensor before = sample.target.view({kLayers, 7, kSide, kSide}).flip({3}),
                   after = mirrored.target.view({kLayers, 7, kSide, kSide});
  for (const std::int64_t same : {0, 1, 4, 5, 6})
    CHECK(at::equal(after.select(1, same), before.select(1, same)));
  for (const std::int64_t other : {2, 3}) CHECK(at::equal(after.select(1, other), -before.select(1, other)));
  CHECK(sample.changed({.flip = "z"}, seed_that_mirrors(sample, false)) == sample);
}

TEST_CASE("augmentation: a window is enlarged, with targets of the nearest pixels") {
  const Sample sample;
  int larger = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Sample cropped = sample.changed({.crop = 0.5}, seed);
    const at::Tensor occupied = cropped.target.select(0, 6);
    CHECK(at::equal(occupied.gt(0), cropped.input.mask.gt(0)));
    larger += occupied.sum().item<float>() > 70 ? 1 : 0;
    // Each point is one of those that were there.
    const at::Tensor first = cropped.target.select(0, 0).masked_select(occupied.gt(0)),
                     known = sample.target.select(0, 0).masked_select(sample.input.mask.gt(0));
    CHECK(first.unsqueeze(1).eq(known.unsqueeze(0)).any(1).all().item<bool>());
  }
  CHECK(larger > 10);
}

TEST_CASE("augmentation: colours change inside of the silhouette, the background outside") {
  const Sample sample;
  const at::Tensor inside = sample.input.mask, outside = 1 - inside;
  const Sample coloured = sample.changed({.colour = 0.5}, 1);
  CHECK((coloured.input.features * outside).abs().max().item<float>() == 0);
  CHECK_FALSE(at::equal(coloured.input.features, sample.input.features));
  CHECK((coloured.input.features.min().item<float>() >= 0 &&
         coloured.input.features.max().item<float>() <= 1.5F));
  const Sample filled = sample.changed({.background = 1}, 1);
  CHECK(at::equal(filled.input.features * inside, sample.input.features));
  for (std::int64_t c = 0; c < 3; ++c) {
    const at::Tensor values = filled.input.features[c].masked_select(outside.gt(0));
    CHECK((values.max() - values.min()).item<float>() == 0);
  }
  CHECK((filled.input.features * outside).max().item<float>() > 0);
  CHECK(at::equal(filled.target, sample.target));
}

TEST_CASE("augmentation: an animal that is not symmetric about 0 is not mirrored") {
  const at::Tensor target = Sample().target;
  CHECK_NOTHROW(require_symmetry({target}, ""));
  at::Tensor balanced = target.clone();
  balanced.view({kLayers, 7, kSide, kSide})
      .select(1, 0)
      .copy_(Sample().input.mask * at::linspace(-1, 1, kSide));
  CHECK_NOTHROW(require_symmetry({balanced}, "x"));
  balanced.view({kLayers, 7, kSide, kSide}).select(1, 0).add_(Sample().input.mask * 0.5);
  CHECK_THROWS_WITH(require_symmetry({balanced}, "x"), Catch::Contains("not symmetric about 0"));
}

}  // namespace
}  // namespace imatch
