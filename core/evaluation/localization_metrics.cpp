// SPDX-License-Identifier: Apache-2.0
#include "evaluation/localization_metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/stop.h"
#include "evaluation/position_tree.h"

namespace imatch {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr double kSdmDegrees = 5e3;   ///< Of DenseUAV: d in degrees.
constexpr double kSdmMetres = 0.001;  ///< Of GTA-UAV: d in metres.

/// What one pass over the results of a query leaves for the metrics.
struct Sums {
  std::int64_t n = 0;              ///< Queries with a true position.
  std::int64_t with_positive = 0;  ///< Of these, with a reference within the radius.
  std::vector<std::int64_t> truth_within_k, right_within_k;  ///< By recall_k.
  std::vector<double> sdm_deg, sdm_m, pdm;
  double average_precision = 0;
};

double share(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? kNone : static_cast<double>(part) / static_cast<double>(whole);
}

double degrees_apart(LatLon a, LatLon b) {
  return std::hypot(a.latitude_deg - b.latitude_deg, std::remainder(a.longitude_deg - b.longitude_deg, 360));
}

/// Sum over the first K results of (K - i) f(distance), by the weights' own sum; a missing result counts 0.
template <class Score>
double weighted(const std::vector<double>& distances, int k, Score score) {
  double sum = 0;
  for (int i = 0; i < k && i < static_cast<int>(distances.size()); ++i)
    if (!std::isnan(distances[i])) sum += (k - i) * score(distances[i]);
  return sum / (k * (k + 1) / 2.0);
}

/// Area under precision over recall by trapezoids, as University-1652 computes it. Positives that were
/// not found add nothing.
double average_precision(const std::vector<std::int64_t>& right_ranks, std::int64_t num_positives) {
  double area = 0;
  for (std::size_t i = 0; i < right_ranks.size(); ++i) {
    const auto rank = static_cast<double>(right_ranks[i]);
    const double precision = static_cast<double>(i + 1) / rank;
    const double before = right_ranks[i] == 1 ? 1.0 : static_cast<double>(i) / (rank - 1);
    area += (before + precision) / 2;
  }
  return num_positives == 0 ? kNone : area / static_cast<double>(num_positives);
}

class Evaluator {
 public:
  Evaluator(const std::vector<LatLon>& references, const LocalizationMetricsOptions& options)
      : references_(references), options_(options), tree_(references) {
    sums_.truth_within_k.resize(options.recall_k.size());
    sums_.right_within_k.resize(options.recall_k.size());
    sums_.sdm_deg.resize(options.recall_k.size());
    sums_.sdm_m.resize(options.recall_k.size());
    sums_.pdm.resize(options.recall_k.size());
  }

  QueryOutcome add(const RetrievedQuery& query) {
    QueryOutcome outcome;
    outcome.true_reference_m = outcome.top1_m = outcome.least_m = outcome.average_precision = kNone;
    add_time(query.embed_ms, embed_ms);
    add_time(query.search_ms, search_ms);
    add_time(query.total_ms, total_ms);
    if (!query.truth) return outcome;
    ++sums_.n;
    outcome.true_reference = tree_.nearest(*query.truth);
    if (outcome.true_reference >= 0)
      outcome.true_reference_m = haversine_m(*query.truth, references_[outcome.true_reference]);
    outcome.num_positives = tree_.count_within(*query.truth, options_.radius_m);
    if (outcome.num_positives > 0) ++sums_.with_positive;

    std::vector<double> metres, degrees;
    std::vector<std::int64_t> right_ranks;
    for (std::size_t i = 0; i < query.references.size(); ++i) {
      const std::int64_t reference = query.references[i];
      if (reference >= static_cast<std::int64_t>(references_.size()))
        throw Error(fmt::format("evaluate: '{}': result {} is reference {}, there are {}", query.name, i + 1,
                                reference, references_.size()));
      if (reference < 0) {
        metres.push_back(kNone);
        degrees.push_back(kNone);
        continue;
      }
      metres.push_back(haversine_m(*query.truth, references_[reference]));
      degrees.push_back(degrees_apart(*query.truth, references_[reference]));
      const auto rank = static_cast<std::int64_t>(i + 1);
      if (outcome.rank == 0 && is_true_reference(reference, outcome)) outcome.rank = rank;
      if (metres.back() <= options_.radius_m) right_ranks.push_back(rank);
      if (!(outcome.least_m <= metres.back())) outcome.least_m = metres.back();
    }
    if (!metres.empty()) outcome.top1_m = metres.front();
    outcome.first_right_rank = right_ranks.empty() ? 0 : right_ranks.front();
    outcome.average_precision = average_precision(right_ranks, outcome.num_positives);
    take(outcome, metres, degrees);
    return outcome;
  }

  std::vector<MetricValue> metrics(std::size_t num_queries) const {
    std::vector<MetricValue> list;
    constexpr std::optional<Better> kNeither, kLow = Better::kLower, kHigh = Better::kHigher;
    const auto add = [&](std::string name, double value, std::optional<Better> better, std::string definition,
                         const char* unit = "") {
      list.push_back({{std::move(name), unit, std::move(definition), better}, value, {}});
    };
    const std::string radius = fmt::format("{:g} m", options_.radius_m);
    add("num_queries", static_cast<double>(num_queries), kNeither, "queries in the results");
    add("n_all", static_cast<double>(sums_.n), kNeither,
        "queries with a true position: the denominator unless another is named");
    add("n_with_positive", static_cast<double>(sums_.with_positive), kNeither,
        "of these, queries with at least one reference within " + radius);
    for (std::size_t i = 0; i < options_.recall_k.size(); ++i) {
      const int k = options_.recall_k[i];
      add(fmt::format("recall@{}", k), share(sums_.truth_within_k[i], sums_.n), kHigh,
          fmt::format("share of queries whose true reference (the nearest to the true position by Haversine, "
                      "R = 6,371,000 m, or another at the same position) is among the first {}",
                      k));
      const double recall = share(sums_.right_within_k[i], sums_.n);
      list.push_back({retrieval_recall(k, options_.radius_m), recall,
                      wilson_interval(recall, static_cast<std::size_t>(sums_.n))});
      add(fmt::format("R@{}_with_positive", k), share(sums_.right_within_k[i], sums_.with_positive), kHigh,
          fmt::format("the same over the queries that have a reference within {}", radius));
    }
    add("rank_mean", mean_of(ranks), kLow,
        "mean rank of the true reference, over the queries that have it among their results");
    add("rank_median", median_of(ranks), kLow, "median of the same");
    add("rank_found", share(static_cast<std::int64_t>(ranks.size()), sums_.n), kHigh,
        "share of queries with the true reference among their results");
    const auto n = static_cast<std::size_t>(sums_.n);
    for (MetricValue& hit : hit_rates(top1_m, options_.hit_m, n)) list.push_back(std::move(hit));
    list.push_back({position_error_mean(), mean_of(top1_m), {}});
    list.push_back({position_error_median(), median_of(top1_m), {}});
    list.push_back({position_error_p90(), quantile_of(top1_m, 0.9), {}});
    const std::string least =
        "least distance of any result from the true position, over the queries that have one";
    add("least_mean_m", mean_of(least_m), kLow, "mean " + least, "m");
    add("least_median_m", median_of(least_m), kLow, "median " + least, "m");
    add("least_p90_m", quantile_of(least_m, 0.9), kLow, "90th percentile of the " + least, "m");
    list.push_back(failure_rate(top1_m, options_.failure_m, n));
    std::vector<double> successes;
    for (const double d : top1_m)
      if (d <= options_.failure_m) successes.push_back(d);
    add("success_mean_m", mean_of(successes), kLow,
        "mean distance of the prediction from the true position over the queries that are no failure", "m");
    add("success_median_m", median_of(successes), kLow, "median of the same", "m");
    for (std::size_t i = 0; i < options_.recall_k.size(); ++i) {
      const int k = options_.recall_k[i];
      const auto over_n = [&](double sum) {
        return sums_.n == 0 ? kNone : sum / static_cast<double>(sums_.n);
      };
      add(fmt::format("sdm_deg@{}", k), over_n(sums_.sdm_deg[i]), kHigh,
          "mean of sum (K-i) exp(-5000 d_i) / sum (K-i), i = 0..K-1, d in degrees of latitude and longitude "
          "(DenseUAV)");
      add(fmt::format("sdm_m@{}", k), over_n(sums_.sdm_m[i]), kHigh,
          "mean of sum (K-i) exp(-0.001 d_i) / sum (K-i), i = 0..K-1, d in metres (GTA-UAV)");
      if (options_.tile_width_m > 0)
        add(fmt::format("pdm@{}", k), over_n(sums_.pdm[i]), kHigh,
            fmt::format("mean of sum (K-i) / (1 + exp(6 (d_i / {:g} m - 0.9))) / sum (K-i), i = 0..K-1 "
                        "(AnyVisLoc; {:g} m: width of a reference)",
                        options_.tile_width_m, options_.tile_width_m));
    }
    add("AP",
        sums_.with_positive == 0 ? kNone : sums_.average_precision / static_cast<double>(sums_.with_positive),
        kHigh,
        fmt::format("mean over the queries with a positive of the area under precision over recall "
                    "(trapezoids, University-1652); positives are all references within {}, those that were "
                    "not found add nothing",
                    radius));
    add_latencies(list, "embed", embed_ms);
    add_latencies(list, "search", search_ms);
    add_latencies(list, "total", total_ms);
    return list;
  }

 private:
  static void add_time(double ms, std::vector<double>& list) {
    if (!std::isnan(ms)) list.push_back(ms);
  }
  /// A reference at the very place of the true one is as true: the same spot at several headings.
  bool is_true_reference(std::int64_t reference, const QueryOutcome& outcome) const {
    const LatLon &a = references_[reference], &b = references_[outcome.true_reference];
    return reference == outcome.true_reference ||
           (a.latitude_deg == b.latitude_deg && a.longitude_deg == b.longitude_deg);
  }

  void take(const QueryOutcome& outcome, const std::vector<double>& metres,
            const std::vector<double>& degrees) {
    if (!std::isnan(outcome.top1_m)) top1_m.push_back(outcome.top1_m);
    if (!std::isnan(outcome.least_m)) least_m.push_back(outcome.least_m);
    if (outcome.rank > 0) ranks.push_back(static_cast<double>(outcome.rank));
    if (!std::isnan(outcome.average_precision)) sums_.average_precision += outcome.average_precision;
    for (std::size_t i = 0; i < options_.recall_k.size(); ++i) {
      const int k = options_.recall_k[i];
      if (outcome.rank > 0 && outcome.rank <= k) ++sums_.truth_within_k[i];
      if (outcome.first_right_rank > 0 && outcome.first_right_rank <= k) ++sums_.right_within_k[i];
      sums_.sdm_deg[i] += weighted(degrees, k, [](double d) { return std::exp(-kSdmDegrees * d); });
      sums_.sdm_m[i] += weighted(metres, k, [](double d) { return std::exp(-kSdmMetres * d); });
      if (options_.tile_width_m > 0)
        sums_.pdm[i] += weighted(metres, k, [this](double d) {
          return 1 / (1 + std::exp(6 * (d / options_.tile_width_m - 0.9)));
        });
    }
  }

  static void add_latencies(std::vector<MetricValue>& list, const std::string& name,
                            const std::vector<double>& values) {
    if (values.empty()) return;
    const std::string what = fmt::format("of timing_ms.{} over the queries", name);
    list.push_back({{name + "_mean_ms", "ms", "mean " + what, Better::kLower}, mean_of(values), {}});
    for (const int p : {50, 90, 95, 99})
      list.push_back({{fmt::format("{}_p{}_ms", name, p), "ms", fmt::format("{}th percentile {}", p, what),
                       Better::kLower},
                      quantile_of(values, p / 100.0),
                      {}});
  }

  const std::vector<LatLon>& references_;
  const LocalizationMetricsOptions& options_;
  PositionTree tree_;
  Sums sums_;
  std::vector<double> top1_m, least_m, ranks, embed_ms, search_ms, total_ms;
};

}  // namespace

LocalizationEvaluation evaluate_localization(const std::vector<RetrievedQuery>& queries,
                                             const std::vector<LatLon>& references,
                                             const LocalizationMetricsOptions& options) {
  LocalizationEvaluation result;
  Evaluator evaluator(references, options);
  result.outcomes.reserve(queries.size());
  std::int64_t without_truth = 0;
  for (const RetrievedQuery& query : queries) {
    if (result.outcomes.size() % 1024 == 0) check_stop();
    result.outcomes.push_back(evaluator.add(query));
    without_truth += query.truth ? 0 : 1;
  }
  result.metrics = evaluator.metrics(queries.size());
  if (without_truth > 0)
    result.warnings.push_back(fmt::format("{} of {} queries have no true position and take no part",
                                          without_truth, queries.size()));
  for (const double hit : options.hit_m)
    if (hit < options.gt_sigma_m)
      result.warnings.push_back(fmt::format(
          "hit@{:g}m: the true positions themselves are only good to {:g} m", hit, options.gt_sigma_m));
  return result;
}

}  // namespace imatch
