// SPDX-License-Identifier: Apache-2.0
#include "evaluation/metric.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"

namespace imatch {
namespace {

struct KnownMetric {
  const char* name;
  const char* unit;
  const char* definition;
  std::optional<Better> better;
};

constexpr std::optional<Better> kLow = Better::kLower, kHigh = Better::kHigher;

/// Metrics of one image pair or one query; functions of the header have those of many.
constexpr std::array kKnownMetrics{
    KnownMetric{"num_matches", "", "mutual nearest neighbours that passed the thresholds", std::nullopt},
    KnownMetric{"num_inliers", "",
                "matches whose reprojection error under the model found is at most reproj_px", kHigh},
    KnownMetric{"inlier_ratio", "", "num_inliers / num_matches; 0 without matches", kHigh},
    KnownMetric{"num_correct", "", "matches within cell_px of the truth", kHigh},
    KnownMetric{"precision", "", "num_correct / num_matches; 0 without matches", kHigh},
    KnownMetric{"num_possible", "", "tokens of a whose true position lies in b", std::nullopt},
    KnownMetric{"has_model", "", "whether a transform was found", kHigh},
    KnownMetric{
        "corner_error_px", "px",
        "mean distance of the four corners of image a under the found and the true homography, in pixels "
        "of b; at most the diagonal of b, which also stands where no model was found",
        kLow},
    KnownMetric{"error_m", "m", "distance of the prediction from the true position", kLow},
    KnownMetric{"heading_error_deg", "deg", "difference from the true heading", kLow},
    KnownMetric{"width_error", "", "relative error of the width on the ground", kLow},
    KnownMetric{"position_sigma_m", "m",
                "standard deviation that the prediction gives itself, both directions together", kLow},
    KnownMetric{"rank", "", "place, from 1, of the first reference within the radius", kLow},
    KnownMetric{"time_ms", "ms", "time of a cell as if nothing had come from a cache", kLow},
    KnownMetric{"time_spent_ms", "ms", "time that measuring the cell took here, with what was in the caches",
                kLow},
};

constexpr std::array<std::string_view, 6> kUnits{"px", "m", "deg", "ms", "mb", "s"};

std::string_view unit_in(std::string_view name) {
  const std::size_t cut = name.rfind('_');
  if (cut == std::string_view::npos) return "";
  const auto* found = std::find(kUnits.begin(), kUnits.end(), name.substr(cut + 1));
  return found == kUnits.end() ? "" : *found;
}

bool sounds_like_cost(std::string_view name) {
  constexpr std::array<std::string_view, 5> kCosts{"error", "loss", "time", "distance", "residual"};
  return name.ends_with("_ms") || std::any_of(kCosts.begin(), kCosts.end(), [&](std::string_view word) {
           return name.find(word) != std::string_view::npos;
         });
}

Json better_json(const std::optional<Better>& better) {
  return better ? Json(*better == Better::kLower ? "lower" : "higher") : Json(nullptr);
}

/// "10px", "0.5": how the parameter of a statistic is written.
std::string limit_text(const Statistic& statistic, const std::string& unit, const char* space) {
  const std::string parameter = statistic.text().substr(statistic.text().find('@') + 1);
  return unit.empty() ? parameter : parameter + space + unit;
}

}  // namespace

std::string MetricDefinition::label() const {
  std::string text = name;
  const std::string_view ending = unit_in(name);
  if (!ending.empty()) text.resize(text.size() - ending.size() - 1);
  std::replace(text.begin(), text.end(), '_', ' ');
  return text;
}

Json to_json(const MetricDefinition& definition) {
  return {{"name", definition.name},
          {"unit", definition.unit},
          {"definition", definition.definition},
          {"better", better_json(definition.better)}};
}

Json to_json(const MetricValue& metric) {
  Json json{{"name", metric.name},
            {"value", finite_json(metric.value)},
            {"unit", metric.unit},
            {"definition", metric.definition},
            {"better", better_json(metric.better)}};
  if (!std::isnan(metric.interval.low)) {
    json["low"] = finite_json(metric.interval.low);
    json["high"] = finite_json(metric.interval.high);
  }
  return json;
}

Json to_json(std::span<const MetricValue> metrics) {
  Json list = Json::array();
  for (const MetricValue& metric : metrics) list.push_back(to_json(metric));
  return list;
}

MetricDefinition describe_metric(std::string_view name) {
  for (const KnownMetric& known : kKnownMetrics)
    if (name == known.name) return {known.name, known.unit, known.definition, known.better};
  if (name.starts_with("mma_") && name.ends_with("px"))
    return {std::string(name), "",
            fmt::format("share of matches within {} of the truth; 0 without matches", name.substr(4)), kHigh};
  return {std::string(name), std::string(unit_in(name)), "", sounds_like_cost(name) ? kLow : kHigh};
}

std::string title_of(const Statistic& statistic, const MetricDefinition& metric) {
  const std::string& text = statistic.text();
  if (text.starts_with("auc@"))
    return fmt::format("AUC@{} of {}", limit_text(statistic, metric.unit, ""), metric.label());
  if (text.starts_with("share@"))
    return fmt::format("share with {} at {} {}", metric.label(), metric.better == kLow ? "most" : "least",
                       limit_text(statistic, metric.unit, " "));
  const std::string unit = metric.unit.empty() ? "" : fmt::format(" [{}]", metric.unit);
  if (text.starts_with("quantile@"))
    return fmt::format("{} quantile of {}{}", limit_text(statistic, "", ""), metric.label(), unit);
  return fmt::format("{} {}{}", text, metric.label(), unit);
}

// ---- Metrics of many queries on a map
// ------------------------------------------------------------------------

MetricDefinition hit_rate(double limit_m) {
  return {fmt::format("hit@{:g}m", limit_m), "",
          fmt::format("share of queries whose prediction is at most {:g} m from the true position; a query "
                      "without a prediction counts as a miss",
                      limit_m),
          kHigh};
}

MetricDefinition failure_rate(double limit_m) {
  return {
      "failure_rate", "",
      fmt::format("share of queries without a prediction, or whose prediction is farther than {:g} m from "
                  "the true position",
                  limit_m),
      kLow};
}

MetricDefinition position_error_mean() {
  return {"top1_mean_m", "m",
          "mean distance of the prediction from the true position, over the queries that have both", kLow};
}

MetricDefinition position_error_median() {
  return {"top1_median_m", "m",
          "median distance of the prediction from the true position, over the queries that have both", kLow};
}

MetricDefinition position_error_p90() {
  return {"top1_p90_m", "m",
          "90th percentile of the distance of the prediction from the true position, over the queries that "
          "have both",
          kLow};
}

MetricDefinition retrieval_recall(int k, double radius_m) {
  return {fmt::format("R@{}_all", k), "",
          fmt::format("share of all queries with a reference within {:g} m among the first {}", radius_m, k),
          kHigh};
}

std::vector<MetricValue> hit_rates(std::span<const double> errors_m, std::span<const double> limits_m,
                                   std::size_t num_all) {
  std::vector<MetricValue> list;
  for (const double limit : limits_m)
    list.push_back({hit_rate(limit), share_within(errors_m, limit, num_all), {}});
  return list;
}

MetricValue failure_rate(std::span<const double> errors_m, double limit_m, std::size_t num_all) {
  const auto good = static_cast<std::size_t>(
      std::count_if(errors_m.begin(), errors_m.end(), [&](double d) { return d <= limit_m; }));
  const double share = num_all == 0 ? std::numeric_limits<double>::quiet_NaN()
                                    : static_cast<double>(num_all - good) / static_cast<double>(num_all);
  return {failure_rate(limit_m), share, {}};
}

// ---- Metrics of many image pairs
// -----------------------------------------------------------------------------

std::vector<MetricValue> pair_error_metrics(std::span<const double> errors_px,
                                            std::span<const std::size_t> units,
                                            const PairErrorOptions& options) {
  for (const double error : errors_px)
    if (!(error >= 0)) throw Error(fmt::format("errors: {} is not allowed; expected numbers >= 0", error));
  const BootstrapOptions draws{options.level, options.num_resamples, options.seed};
  std::vector<double> sorted(errors_px.begin(), errors_px.end());
  std::sort(sorted.begin(), sorted.end());
  std::vector<MetricValue> list;
  const auto add = [&](const char* kind, double limit, std::string definition) {
    const Statistic statistic = Statistic::parse(fmt::format("{}@{}", kind, limit));
    list.push_back({{fmt::format("{}@{:g}px", kind, limit), "", std::move(definition), kHigh},
                    statistic.of_sorted(sorted, Better::kLower),
                    bootstrap(errors_px, units, statistic, Better::kLower, draws)});
  };
  for (const double limit : options.limits_px)
    add("auc", limit,
        fmt::format("area under the share of pairs by corner error up to {:g} px, divided by {:g} px; a pair "
                    "without a model counts as infinitely wrong",
                    limit, limit));
  for (const double limit : options.limits_px)
    add("share", limit, fmt::format("share of pairs whose corner error is at most {:g} px", limit));
  return list;
}

}  // namespace imatch
