// SPDX-License-Identifier: Apache-2.0
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>

#include <algorithm>
#include <cmath>

#include "anomaly/collected_patches.h"
#include "anomaly/train.h"
#include "base/device.h"
#include "cuda/kernels.h"
#include "index/coreset.h"

namespace imatch {
namespace {

/// The statistics of both lots of pictures together.
NormStats pooled(const NormStats& a, const NormStats& b) {
  const auto n = static_cast<double>(a.num_samples), m = static_cast<double>(b.num_samples), all = n + m;
  if (all == 0) return a;
  NormStats both{.max_score = std::max(a.max_score, b.max_score),
                 .mean_score = (n * a.mean_score + m * b.mean_score) / all,
                 .max_pixel = std::max(a.max_pixel, b.max_pixel),
                 .mean_pixel = (n * a.mean_pixel + m * b.mean_pixel) / all,
                 .num_samples = a.num_samples + b.num_samples};
  const auto square = [&](const NormStats& part) {
    const double off = part.mean_score - both.mean_score;
    return static_cast<double>(part.num_samples) * (part.std_score * part.std_score + off * off);
  };
  both.std_score = std::sqrt((square(a) + square(b)) / all);
  return both;
}

}  // namespace

AnomalyTraining extend_anomaly_model(const std::string& model_folder, const std::string& data_folder,
                                     const AnomalyExtendOptions& options, const AnomalyProgress& progress) {
  const at::NoGradGuard no_gradients;
  AnomalyTraining training{.model = load_anomaly_model(model_folder), .skipped = {}, .resumed = {}};
  AnomalyModel& model = training.model;
  const std::shared_ptr<const Backbone> backbone =
      open_anomaly_backbone(backbone_in_folder(model.config, model_folder), options.device);
  const AnomalyScorer trained(model, backbone);  // checks the weights
  std::vector<std::string> paths;
  for (const AnomalySample& sample : list_anomaly_data(data_folder, options.data).train)
    paths.push_back(sample.path);
  const CollectedPatches patches =
      collect_patches(paths, *backbone, model, options.batch_size, {}, 1, progress);
  const CoresetOptions coreset{
      .ratio = options.coreset_ratio > 0 ? options.coreset_ratio : model.config.coreset_ratio,
      .seed = model.config.seed};
  const at::Tensor ids = coreset_beside(cuda::moved_if_it_fits(patches.rows, resolve_device(options.device)),
                                        model.bank, coreset, [&](std::int64_t done, std::int64_t all) {
                                          if (progress) progress("coreset", done, all);
                                        });
  model.bank = at::cat({model.bank, as_exported(patches.rows.index_select(0, ids))});
  model.config.rows_seen += patches.seen;
  model.config.rows_kept += patches.rows.size(0);
  model.config.num_images += patches.num_images;
  training.skipped = patches.skipped;

  const AnomalyScorer scorer(model, backbone);
  NormStatsSum sum;
  std::vector<SkippedFile> known_already;
  const Json scored = score_pictures(paths, scorer, model, anomaly_normalization(*backbone),
                                     options.batch_size, known_already, [&](std::size_t done) {
                                       if (progress)
                                         progress("scores", static_cast<std::int64_t>(done),
                                                  static_cast<std::int64_t>(paths.size()));
                                     });
  for (const Json& one : scored)
    if (!one.is_null()) sum.add(one[0].get<double>(), one[1].get<double>(), one[2].get<double>());
  model.norm_stats = pooled(model.norm_stats, sum.stats());
  save_anomaly_model(model_folder, model);
  return training;
}

}  // namespace imatch
