// SPDX-License-Identifier: Apache-2.0
#include "backbone/rotations.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "backbone/extract.h"
#include "backbone/spec.h"
#include "base/error.h"
#include "feature/rotated.h"
#include "image/transform.h"

namespace imatch {
namespace {

constexpr int kLargestImageSize = 4096;

/// The image_size at which the rotated image has the scale of the original; 0: that of the backbone.
int image_size_for(const BackboneSpec& spec, const Image& original, const Image& rotated) {
  const std::string resize = spec.options.value("resize", "");
  const int own = spec.options.value("image_size", 0);
  if (own == 0 || resize == "exact" || resize == "keep") return 0;
  const auto side = [&](const Image& image) {
    return resize == "longer" ? std::max(image.width, image.height) : std::min(image.width, image.height);
  };
  const double scaled = static_cast<double>(own) * side(rotated) / side(original);
  const int size = std::min(kLargestImageSize, static_cast<int>(std::lround(scaled)));
  return size == own ? 0 : size;
}

}  // namespace

std::vector<std::shared_ptr<const Features>> features_of_rotation(const Backbone& backbone,
                                                                  std::span<const Image* const> images,
                                                                  double rotation_deg, FeatureCache& cache) {
  if (!std::isfinite(rotation_deg)) throw Error("rotation: the angle is not finite");
  if (std::fmod(rotation_deg, 360) == 0) return extract_features(backbone, images, cache);
  const BackboneSpec spec = parse_spec(backbone.spec());
  std::vector<Rotated> rotated;
  std::map<int, std::vector<std::size_t>> by_image_size;
  for (std::size_t i = 0; i < images.size(); ++i) {
    rotated.push_back(rotate(*images[i], rotation_deg));
    by_image_size[image_size_for(spec, *images[i], rotated[i].image)].push_back(i);
  }
  std::vector<std::shared_ptr<const Features>> list(images.size());
  for (const auto& [image_size, members] : by_image_size) {
    std::vector<const Image*> batch;
    for (const std::size_t i : members) batch.push_back(&rotated[i].image);
    const auto enlarged =
        image_size == 0 ? nullptr : open_backbone(backbone.spec(), {{"image_size", image_size}});
    const auto found = extract_features(enlarged ? *enlarged : backbone, batch, cache);
    for (std::size_t k = 0; k < members.size(); ++k) {
      const std::size_t i = members[k];
      Features features = rotated_back(*found[k], rotated[i].rotated_from_original, rotation_deg,
                                       images[i]->width, images[i]->height);
      // The same model at the same scale: comparable with what it says of the unrotated image.
      features.backbone = backbone.spec();
      list[i] = std::make_shared<const Features>(std::move(features));
    }
  }
  return list;
}

}  // namespace imatch
