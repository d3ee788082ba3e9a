// SPDX-License-Identifier: Apache-2.0
#include "retrieval/reference_view.h"

#include <algorithm>
#include <cmath>

#include "image/resize.h"
#include "image/rotate_expanded.h"
#include "image/transform.h"

namespace imatch {

Image reference_view(const Image& photo, const ReferenceViewOptions& options) {
  const ImageSize size{photo.width, photo.height};
  const Image filled = fit(rotate_expanded(photo, options.angle_deg), size);
  const auto cropped_side = [&](int side) {
    return std::max(1, static_cast<int>(std::floor(side * options.crop_ratio)));
  };
  const int width = cropped_side(size.width), height = cropped_side(size.height);
  const Image cropped = crop(filled, (size.width - width) / 2, (size.height - height) / 2, width, height);
  return options.resize_back ? resize_to(cropped, size) : cropped;
}

}  // namespace imatch
