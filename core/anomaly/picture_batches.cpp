// SPDX-License-Identifier: Apache-2.0
#include "anomaly/picture_batches.h"

#include <ATen/ops/cat.h>
#include <fmt/format.h>

#include "base/stop.h"
#include "image/image_stream.h"

namespace imatch {

void PictureBatches::run(const std::vector<std::string>& paths, const Batch& batch,
                         std::vector<SkippedFile>& skipped,
                         const std::function<void(std::size_t done)>& progress) const {
  std::vector<at::Tensor> tensors;
  std::vector<Picture> pictures;
  std::int64_t views = 0;
  const auto flush = [&] {
    check_stop();
    if (views > 0) batch(at::cat(tensors), pictures);
    tensors.clear();
    pictures.clear();
    views = 0;
  };
  ImageStream stream(paths, ImageStreamOptions{.ahead = 8});
  while (std::optional<ImageStream::Item> item = stream.next()) {
    if (!item->image) {
      skipped.push_back({paths[item->index], item->problem});
    } else {
      AnomalyInputs inputs = anomaly_inputs(*item->image, config_, region_, by_);
      if (inputs.found) {
        const std::int64_t first = views;
        views += inputs.tensor.size(0);
        tensors.push_back(std::move(inputs.tensor));
        inputs.tensor.reset();
        pictures.push_back({item->index, std::move(inputs), first});
      } else {
        skipped.push_back(
            {paths[item->index], fmt::format("the region is not there: correlation {:.3f}, below {:.3f}",
                                             inputs.correlation, region_->threshold)});
      }
    }
    if (views >= batch_size_) flush();
    if (progress) progress(item->index + 1);
  }
  flush();
}

}  // namespace imatch
