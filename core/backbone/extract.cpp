// SPDX-License-Identifier: Apache-2.0
#include "backbone/extract.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <utility>

#include "base/revision.h"

namespace imatch {
namespace {

/// Part of every key.
const std::string kRevision = fmt::format("backbones {}", revision_of("backbone"));
static_assert(revision_of("backbone") > 0);

/// Images between two visits to the cache: enough to fill batches, few enough to lose little at a stop.
constexpr std::size_t kImagesAtOnce = 64;

}  // namespace

std::vector<std::shared_ptr<const Features>> extract_features(const Backbone& backbone,
                                                              std::span<const Image* const> images,
                                                              FeatureCache& cache) {
  const std::string spec = backbone.spec();
  const std::string weights = backbone.weights_sha256();
  std::vector<std::string> keys;
  std::map<std::string, std::shared_ptr<const Features>> by_key;
  std::vector<std::pair<std::string, const Image*>> missing;
  for (const Image* image : images) {
    keys.push_back(feature_key(
        {.image_digest = image->digest(), .backbone = spec, .weights_sha256 = weights, .more = kRevision}));
    const auto [place, is_new] = by_key.try_emplace(keys.back());
    if (!is_new) continue;
    place->second = cache.get(keys.back());
    if (!place->second) missing.emplace_back(keys.back(), image);
  }

  for (std::size_t first = 0; first < missing.size(); first += kImagesAtOnce) {
    const std::size_t count = std::min(kImagesAtOnce, missing.size() - first);
    std::vector<const Image*> batch;
    for (std::size_t i = 0; i < count; ++i) batch.push_back(missing[first + i].second);
    const auto start = std::chrono::steady_clock::now();
    std::vector<Features> features = backbone.extract(batch);
    const std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - start;
    for (std::size_t i = 0; i < count; ++i) {
      const std::string& key = missing[first + i].first;
      features[i].key = key;
      auto shared = std::make_shared<const Features>(std::move(features[i]));
      cache.put(key, shared, elapsed.count() / static_cast<double>(count));
      by_key[key] = std::move(shared);
    }
  }

  std::vector<std::shared_ptr<const Features>> list;
  list.reserve(keys.size());
  for (const std::string& key : keys) list.push_back(by_key.at(key));
  return list;
}

}  // namespace imatch
