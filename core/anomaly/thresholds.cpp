// SPDX-License-Identifier: Apache-2.0
#include "anomaly/thresholds.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.h"
#include "evaluation/detection_metrics.h"

namespace imatch {
namespace {

/// What is as far off as the quantile is normal still, and an exported file may differ by a thousandth.
constexpr double kAboveQuantile = 1.002;

double interpolated_quantile(std::vector<float> values, double q) {
  std::ranges::sort(values);
  const double place = q * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (place - static_cast<double>(below)) * (values[above] - values[below]);
}

std::vector<float> normal_ones(std::span<const float> values, std::span<const std::uint8_t> anomalous) {
  std::vector<float> normal;
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!anomalous[i]) normal.push_back(values[i]);
  return normal;
}

}  // namespace

double gumbel_threshold(std::vector<float> values, double rate) {
  if (values.size() < 2)
    throw Error(fmt::format("extreme-value threshold: {} normal images; expected 2 or more", values.size()));
  std::ranges::sort(values);
  const auto n = static_cast<double>(values.size());
  double b0 = 0, b1 = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    b0 += values[i] / n;
    b1 += static_cast<double>(i) / (n - 1) * values[i] / n;
  }
  const double scale = (2 * b1 - b0) / std::numbers::ln2;
  const double location = b0 - std::numbers::egamma * scale;
  return location - scale * std::log(-std::log1p(-rate));
}

Thresholds choose_thresholds(const ScoredImages& images, const ThresholdOptions& options) {
  Thresholds thresholds{.rule = options.rule,
                        .taken_from = images.taken_from,
                        .num_images = static_cast<long>(images.scores.size())};
  if (options.rule == "fixed") {
    thresholds.image = options.image;
    thresholds.pixel = options.pixel;
    thresholds.taken_from = "options";
    thresholds.num_images = 0;
    return thresholds;
  }
  const bool has_anomalous = std::ranges::count(images.anomalous, std::uint8_t{0}) !=
                             static_cast<std::ptrdiff_t>(images.anomalous.size());
  if (options.rule == "auto") thresholds.rule = has_anomalous ? "f1" : "quantile";
  const auto of_each = [&](const auto& rule) {
    thresholds.image = rule(images.scores);
    thresholds.pixel = rule(images.map_maxima);
  };
  if (thresholds.rule == "f1") {
    if (!has_anomalous) throw Error("thresholds: rule 'f1' needs anomalous images, and there is none");
    // Half way to the next lower score: on the score itself a rounding would decide.
    of_each([&](const std::vector<float>& values) {
      const F1Threshold best = best_f1(values, images.anomalous);
      return (best.threshold + best.below) / 2;
    });
    return thresholds;
  }
  thresholds.num_images = std::ranges::count(images.anomalous, std::uint8_t{0});
  if (thresholds.num_images == 0)
    throw Error(fmt::format("thresholds: rule '{}' needs normal images, and there is none", thresholds.rule));
  of_each([&](const std::vector<float>& values) {
    const std::vector<float> normal = normal_ones(values, images.anomalous);
    return thresholds.rule == "quantile" ? kAboveQuantile * interpolated_quantile(normal, options.quantile)
                                         : gumbel_threshold(normal, options.false_alarm_rate);
  });
  return thresholds;
}

Json Thresholds::to_json() const {
  return {{"image", image}, {"pixel", pixel},           {"anomalous", "score >= threshold"},
          {"rule", rule},   {"taken_from", taken_from}, {"num_images", num_images}};
}

Thresholds Thresholds::from_json(const Json& table, const std::string& name) {
  try {
    return {.image = table.at("image").get<double>(),
            .pixel = table.at("pixel").get<double>(),
            .rule = table.value("rule", "fixed"),
            .taken_from = table.value("taken_from", "options"),
            .num_images = table.value("num_images", 0L)};
  } catch (const nlohmann::json::exception& e) {
    throw Failure(
        code::kBadFormat,
        fmt::format("{}: expected a table with the numbers 'image' and 'pixel': {}", name, e.what()));
  }
}

}  // namespace imatch
