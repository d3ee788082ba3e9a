// SPDX-License-Identifier: Apache-2.0
#include "anomaly/parity.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "anomaly/openvino_scorer.h"
#include "base/error.h"
#include "base/stop.h"
#include "evaluation/detection_metrics.h"
#include "image/decode.h"
#include "image/resize.h"

namespace imatch {
namespace {

struct ParityPicture {
  std::string name;
  Image image;
  bool anomalous = false;
};

std::vector<ParityPicture> parity_pictures(const std::vector<AnomalySample>& samples, std::size_t least,
                                           const AnomalyModelConfig& config) {
  std::vector<ParityPicture> pictures;
  const std::size_t count = std::min(least, samples.size());
  for (std::size_t i = 0; i < count; ++i) {
    const AnomalySample& sample = samples[i * samples.size() / count];
    try {
      pictures.push_back({sample.path, open_image(sample.path), sample.anomalous()});
    } catch (const Failure&) {
      continue;  // training lists what cannot be read
    }
  }
  if (pictures.empty()) throw Failure(code::kNoResult, "parity: none of the pictures can be read");
  const ParityPicture first = pictures.front();
  const int larger = 2 * std::max(config.image_width, config.image_height) + 1;
  pictures.push_back(
      {first.name + " (enlarged)",
       resize_to(first.image, {std::max(larger, first.image.width), std::max(larger, first.image.height)}),
       first.anomalous});
  ParityPicture near{first.name + " (nearly the same)", first.image, first.anomalous};
  for (std::size_t i = 0; i < near.image.rgb.size(); i += 6)
    near.image.rgb[i] = static_cast<std::uint8_t>(near.image.rgb[i] < 255 ? near.image.rgb[i] + 1 : 254);
  pictures.push_back(std::move(near));
  return pictures;
}

/// Both sides of one precision.
struct ParityRun {
  double largest_relative = 0;
  std::size_t worst = 0;
  std::vector<std::size_t> flipped;
  double auroc_change = 0;
  Json map_difference;

  /// What is beyond the limits; "" for nothing.
  std::string problem(const ParityLimits& limits) const {
    if (largest_relative > limits.relative_score)
      return fmt::format("the score differs by {:.2g} of itself; {:.2g} is allowed", largest_relative,
                         limits.relative_score);
    if (!flipped.empty()) return fmt::format("{} labels differ", flipped.size());
    if (std::abs(auroc_change) > limits.auroc)
      return fmt::format("the AUROC changes by {:.4f}; {:.4f} is allowed", auroc_change, limits.auroc);
    return "";
  }
};

Json where_maps_part(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor difference = a.sub(b).abs().flatten();
  const std::int64_t place = difference.argmax().item<std::int64_t>();
  return {{"largest", difference[place].item<double>()},
          {"x_px", place % a.size(1)},
          {"y_px", place / a.size(1)}};
}

ParityRun compare_runs(const std::vector<ImageScore>& torch, const std::vector<ImageScore>& files,
                       const std::vector<ParityPicture>& pictures, double threshold) {
  ParityRun run;
  std::vector<float> a, b;
  std::vector<std::uint8_t> anomalous;
  for (std::size_t i = 0; i < torch.size(); ++i) {
    if (!torch[i].found) continue;
    const double relative =
        std::abs(torch[i].score - files[i].score) / std::max(1e-12, std::abs(double{torch[i].score}));
    if (relative >= run.largest_relative) {
      run.largest_relative = relative;
      run.worst = i;
    }
    if ((torch[i].score >= threshold) != (files[i].score >= threshold)) run.flipped.push_back(i);
    a.push_back(torch[i].score);
    b.push_back(files[i].score);
    anomalous.push_back(pictures[i].anomalous);
  }
  run.auroc_change = auroc(b, anomalous) - auroc(a, anomalous);
  if (torch[run.worst].found)
    run.map_difference = where_maps_part(torch[run.worst].map, files[run.worst].map);
  return run;
}

Json run_to_json(const ParityRun& run, const std::vector<ParityPicture>& pictures,
                 const std::vector<ImageScore>& torch, const std::vector<ImageScore>& files) {
  Json flipped = Json::array();
  for (const std::size_t i : run.flipped) flipped.push_back(pictures[i].name);
  return {{"largest_relative_difference", run.largest_relative},
          {"worst_picture", pictures[run.worst].name},
          {"score_libtorch", torch[run.worst].score},
          {"score_openvino", files[run.worst].score},
          {"map_difference", run.map_difference},
          {"flipped_labels", flipped},
          {"auroc_change", run.auroc_change}};
}

}  // namespace

Parity check_parity(const AnomalyScorer& scorer, const Thresholds& thresholds, const std::string& xml_path,
                    const std::vector<AnomalySample>& samples, std::size_t least,
                    const ParityLimits& limits) {
  const std::vector<ParityPicture> pictures = parity_pictures(samples, least, scorer.config());
  const auto score_all = [&](const auto& by) {
    std::vector<ImageScore> scores;
    for (const ParityPicture& picture : pictures) {
      check_stop();
      scores.push_back(by.score(picture.image));
    }
    return scores;
  };
  const std::vector<ImageScore> torch = score_all(scorer);
  const std::vector<ImageScore> exact = score_all(OpenVinoScorer(scorer, xml_path, {.precision = "f32"}));
  const std::vector<ImageScore> own = score_all(OpenVinoScorer(scorer, xml_path, {.precision = "default"}));
  const ParityRun in_float32 = compare_runs(torch, exact, pictures, thresholds.image);
  const ParityRun by_default = compare_runs(torch, own, pictures, thresholds.image);

  Parity parity;
  const auto judge = [&](const ParityRun& run, const std::vector<ImageScore>& files, const char* settings,
                         const ParityLimits& by) {
    const std::string problem = run.problem(by);
    if (problem.empty() || !parity.problem.empty()) return;
    const std::size_t i = run.flipped.empty() ? run.worst : run.flipped.front();
    parity.problem = fmt::format(
        "with {}, {}: {} scores {:.6g} in LibTorch and {:.6g} in OpenVINO; maps part most at {}", settings,
        problem, pictures[i].name, torch[i].score, files[i].score, run.map_difference.dump());
  };
  judge(in_float32, exact, "float32", limits);
  ParityLimits decisions = limits;
  decisions.relative_score = std::numeric_limits<double>::infinity();
  judge(by_default, own, "the device's own settings", decisions);
  parity.holds = parity.problem.empty();
  parity.report = {{"holds", parity.holds},
                   {"pictures", pictures.size()},
                   {"limits", {{"relative_score", limits.relative_score}, {"auroc", limits.auroc}}},
                   {"threshold", thresholds.image},
                   {"float32", run_to_json(in_float32, pictures, torch, exact)},
                   {"device_settings", run_to_json(by_default, pictures, torch, own)}};
  return parity;
}

}  // namespace imatch
