// SPDX-License-Identifier: Apache-2.0
#include "anomaly/collected_patches.h"

#include <ATen/ops/cat.h>
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "anomaly/patch_features.h"
#include "anomaly/picture_batches.h"
#include "base/error.h"
#include "index/row_reservoir.h"

namespace imatch {

CollectedPatches collect_patches(const std::vector<std::string>& paths, const Backbone& backbone,
                                 const AnomalyModel& model, int batch_size, const PatchRoom& room,
                                 std::int64_t least, const AnomalyProgress& progress) {
  CollectedPatches collected;
  std::optional<RowReservoir> reservoir;
  std::vector<at::Tensor> parts;
  const PictureBatches batches(model.config, model.region, anomaly_normalization(backbone), batch_size);
  batches.run(
      paths,
      [&](const at::Tensor& inputs, const std::vector<PictureBatches::Picture>& pictures) {
        const at::Tensor rows =
            patch_rows(anomaly_features(backbone, inputs, model.config.method)).to(at::kCPU);
        collected.num_images += static_cast<std::int64_t>(pictures.size());
        collected.seen += rows.size(0);
        if (!reservoir) {
          const std::int64_t all = static_cast<std::int64_t>(paths.size()) *
                                   (rows.size(0) / static_cast<std::int64_t>(pictures.size()) + 1);
          const auto fitting =
              static_cast<std::int64_t>(room.memory_mb * 1e6 / static_cast<double>(rows.size(1) * 4));
          // Tiles of pictures of several sizes: how many there will be is not known.
          const bool limited = room.memory_mb > 0;
          reservoir.emplace(limited ? std::max<std::int64_t>(1, fitting) : all, rows.size(1),
                            static_cast<std::uint64_t>(room.seed) + 1);
          if (!limited && model.config.tile_px > 0) reservoir.reset();
        }
        if (reservoir)
          reservoir->add(rows);
        else
          parts.push_back(rows);
      },
      collected.skipped,
      [&](std::size_t done) {
        if (progress)
          progress("features", static_cast<std::int64_t>(done), static_cast<std::int64_t>(paths.size()));
      });
  if (collected.num_images < least)
    throw Failure(
        code::kNoResult,
        fmt::format("PatchCore: {} normal pictures can be used; expected {} or more{}", collected.num_images,
                    least, collected.skipped.empty() ? "" : ": " + collected.skipped.front().reason));
  collected.rows = reservoir ? reservoir->rows() : at::cat(parts);
  return collected;
}

Json score_pictures(const std::vector<std::string>& paths, const AnomalyScorer& scorer,
                    const AnomalyModel& model, const Normalization& by, int batch_size,
                    std::vector<SkippedFile>& skipped, const std::function<void(std::size_t)>& progress) {
  Json list = Json::array();
  for (std::size_t i = 0; i < paths.size(); ++i) list.push_back(nullptr);
  const PictureBatches batches(model.config, model.region, by, batch_size);
  batches.run(
      paths,
      [&](const at::Tensor& inputs, const std::vector<PictureBatches::Picture>& pictures) {
        const auto [scores, maps] = scorer.score_inputs(inputs);
        for (const PictureBatches::Picture& picture : pictures) {
          const auto count = static_cast<std::int64_t>(picture.inputs.views.size());
          const ImageScore score = joined_score(picture.inputs, scores.narrow(0, picture.first, count),
                                                maps.narrow(0, picture.first, count));
          list[picture.index] = {score.score, score.map.max().item<float>(), score.map.mean().item<float>()};
        }
      },
      skipped, progress);
  return list;
}

}  // namespace imatch
