// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>

#include "bind/homography.h"
#include "bind/types.h"
#include "binding.h"
#include "evaluation/homography_score.h"
#include "evaluation/placed_query.h"
#include "evaluation/prediction_metrics.h"
#include "sweep/canonical.h"

namespace imatch::host {
namespace evaluate_bindings {

// ---- Arguments

std::vector<double> check_number_list(lua_State* L, int index) {
  const Json list = lua_istable(L, index) ? to_json(L, index, "list") : Json();
  if (!list.is_array() && !(list.is_object() && list.empty())) wrong_argument(L, index, "a list of numbers");
  std::vector<double> numbers;
  for (const Json& value : list) {
    if (!value.is_number() || std::isnan(value.get<double>())) wrong_argument(L, index, "a list of numbers");
    numbers.push_back(value.get<double>());
  }
  return numbers;
}

/// The unit of each of n values: equal plain data is one unit. Absent: every value is one.
std::vector<std::size_t> check_units(lua_State* L, int index, std::size_t n) {
  std::vector<std::size_t> units(n);
  std::iota(units.begin(), units.end(), std::size_t{0});
  if (is_absent(L, index)) return units;
  const Json names = to_json(L, index, "units");
  if (names.size() != n) wrong_argument(L, index, "as many units as values");
  std::unordered_map<std::string, std::size_t> numbers;
  for (std::size_t i = 0; i < n; ++i)
    units[i] = numbers.emplace(canonical_json(names[i]), numbers.size()).first->second;
  return units;
}

struct StatisticOptions : BootstrapOptions {
  std::string statistic = "mean";
  std::string direction = "min";
  static constexpr std::string_view kDirections[] = {"min", "max"};
  static constexpr auto fields = std::tuple_cat(
      BootstrapOptions::fields,
      std::tuple{
          field("statistic", &StatisticOptions::statistic, anything(),
                "'mean', 'median', 'quantile@0.9', 'auc@10' (area under the share of values by error, up "
                "to 10) or 'share@10' (of values at most 10; at least 10 where large is good)."),
          field("direction", &StatisticOptions::direction, one_of(kDirections),
                "Whether small or large values are good.")});
  Better better() const { return direction == "min" ? Better::kLower : Better::kHigher; }
};

std::vector<PlacedQuery> check_queries(lua_State* L, int index, const char* what) {
  std::vector<PlacedQuery> queries;
  for (const Json& item : to_json(L, index, "queries")) queries.push_back(placed_query_from(item, what));
  return queries;
}

// ---- im.evaluate

int homography(lua_State* L) {
  const auto& matches = arg<Matches>(L, 1);
  const bool given = is<Geometry>(L, 2);
  const int truth = given ? 3 : 2;
  const Homography b_from_a = check_homography(L, truth);
  const auto how = options<EvaluationOptions>(L, truth + 1, "evaluate.homography");
  return push(L, to_json(score(matches, given ? arg<Geometry>(L, 2) : estimate(matches), b_from_a, how)));
}

int auc(lua_State* L) {
  const std::vector<double> thresholds =
      is_absent(L, 2) ? std::vector<double>{1, 3, 5, 10} : check_number_list(L, 2);
  return push(L, Json(error_auc(check_number_list(L, 1), thresholds)));
}

int pair_errors(lua_State* L) {
  const auto errors = check_number_list(L, 1);
  const auto how = options<PairErrorOptions>(L, 3, "evaluate.pair_errors");
  return push(L, to_json(pair_error_metrics(errors, check_units(L, 2, errors.size()), how)));
}

int metric(lua_State* L) {
  return push(L, to_json(describe_metric(check_string(L, 1))));
}

int title(lua_State* L) {
  return push(L, title_of(Statistic::parse(check_string(L, 1)), describe_metric(check_string(L, 2))));
}

int statistic(lua_State* L) {
  auto values = check_number_list(L, 1);
  const auto how = options<StatisticOptions>(L, 3, "evaluate.statistic");
  const Statistic wanted = Statistic::parse(how.statistic);
  const Interval interval = bootstrap(values, check_units(L, 2, values.size()), wanted, how.better(), how);
  std::sort(values.begin(), values.end());
  Json json = to_json(Estimate{wanted.of_sorted(values, how.better()), interval});
  json["std"] = finite_json(deviation_of(values));
  return push(L, json);
}

int difference(lua_State* L) {
  const auto a = check_number_list(L, 1), b = check_number_list(L, 2);
  const auto how = options<StatisticOptions>(L, 4, "evaluate.difference");
  const Estimate found = paired_difference(a, b, check_units(L, 3, a.size()), Statistic::parse(how.statistic),
                                           how.better(), how);
  return push(L, to_json(found));
}

int predictions(lua_State* L) {
  const auto how = options<PredictionMetricsOptions>(L, 2, "evaluate.predictions");
  std::vector<Prediction> list;
  for (const Json& item : to_json(L, 1, "predictions"))
    list.push_back(parse_options<Prediction>(item, "evaluate.predictions"));
  return push(L,
              Json{{"metrics", to_json(prediction_metrics(list, how))}, {"curves", prediction_curves(list)}});
}

int write_geojson_file(lua_State* L) {
  write_geojson(check_string(L, 1), check_queries(L, 2, "evaluate.write_geojson"));
  return push(L, true);
}

int write_kml_file(lua_State* L) {
  write_kml(check_string(L, 1), check_queries(L, 2, "evaluate.write_kml"));
  return push(L, true);
}

// ---- Documentation

#define EVALUATE_TOKENS                                                                                  \
  "local rows = {}\n"                                                                                    \
  "for i = 1, 16 do rows[i] = { math.sin(i), math.sin(2 * i), math.sin(3 * i), math.cos(i) } end\n"      \
  "local f = im.features.from_tensors(im.tensor.from_table { 1 }, im.tensor.from_table(rows), { rows = " \
  "4, cols = 4 })\n"

constexpr Binding kEvaluateFunctions[] = {
    bind<homography>(
        "homography", "evaluate.homography(matches [, geometry], b_from_a [, options]) -> table",
        "Compares matches, and the Geometry found from them (by default match.geometry(matches)), with the "
        "true "
        "homography b_from_a, 9 numbers. Gives num_matches, num_inliers, inlier_ratio, num_correct and "
        "precision "
        "(matches within cell_px of the truth, 0 without matches), mma_<t>px (share of matches within t px), "
        "num_possible (tokens of a whose true position lies in b), has_model and corner_error_px: mean "
        "distance of "
        "the four corners of a under the found and the true homography, at most the diagonal of b, which "
        "also stands "
        "where no model was found.",
        EVALUATE_TOKENS "local m = im.match.mutual_nearest(f, f)\n"
                        "print(im.evaluate.homography(m, { 1, 0, 0, 0, 1, 0, 0, 0, 1 }).precision) --> 1",
        describe_options<EvaluationOptions>),
    bind<auc>(
        "auc", "evaluate.auc(errors [, thresholds]) -> list of numbers",
        "Area under the curve of the share of errors below t, for t up to each threshold, divided by it: in "
        "[0, 1]. Thresholds are { 1, 3, 5, 10 } px unless given; errors >= 0, math.huge for a failed pair.",
        "print(im.evaluate.auc({ 0.5, 2, math.huge }, { 3 })[1]) --> 0.5"),
    bind<pair_errors>(
        "pair_errors", "evaluate.pair_errors(errors [, units [, options]]) -> list",
        "Metrics of the corner errors of many pairs: auc@<t>px and share@<t>px (of pairs within t) for each "
        "limit, each {name, value, low, high, unit, definition, better}. low and high: bootstrap interval "
        "over "
        "units; units[i] says to which (a place, a seed) pair i belongs, without them every pair is one. "
        "Errors "
        ">= 0, math.huge for a failed pair.",
        "local metrics = im.evaluate.pair_errors({ 0.5, 2, math.huge }, { 'a', 'a', 'b' }, { limits_px = { 3 "
        "} })\n"
        "print(metrics[2].name == 'share@3px' and metrics[2].value == 2 / 3) --> true",
        describe_options<PairErrorOptions>),
    bind<metric>("metric", "evaluate.metric(name) -> table",
                 "{name, unit, definition, better}: what a metric of one pair or query means; better is "
                 "'lower', 'higher' or nil. Of an unknown name what its words say.",
                 "print(im.evaluate.metric('corner_error_px').better == 'lower') --> true"),
    bind<title>(
        "title", "evaluate.title(statistic, metric) -> string", "A statistic of a metric in words.",
        "print(im.evaluate.title('auc@10', 'corner_error_px') == 'AUC@10px of corner error') --> true"),
    bind<statistic>(
        "statistic", "evaluate.statistic(values [, units [, options]]) -> table",
        "{value, low, high, std}: a statistic of the values with its percentile bootstrap interval "
        "(Efron and Tibshirani 1993), and their standard deviation (n - 1). units[i] says to which unit (a "
        "place, a seed) value i belongs; "
        "units are drawn, each with all its values. Without units every value is one. Values may be "
        "math.huge.",
        "local s = im.evaluate.statistic({ 1, 2, 3, 4 }, nil, { statistic = 'share@2' })\n"
        "print(s.value == 0.5 and s.low < 0.5 and s.high > 0.5) --> true",
        describe_options<StatisticOptions>),
    bind<difference>(
        "difference", "evaluate.difference(a, b [, units [, options]]) -> table",
        "{value, low, high}: by how much the statistic of b exceeds that of a, with its bootstrap "
        "interval; a[i] and b[i] belong together and are drawn together.",
        "print(im.evaluate.difference({ 1, 2, 3 }, { 2, 3, 4 }).low == 1) --> true",
        describe_options<StatisticOptions>),
    bind<predictions>(
        "predictions", "evaluate.predictions(predictions [, options]) -> table",
        "{metrics, curves} of localised photos, a list of tables with the fields found, error_m, "
        "heading_error_deg, width_error, position_sigma_m, rank and time_ms, of which any but "
        "found may be missing: hit@<t>m, top1_median_m, failure_rate, R@<k>_all and more, each "
        "{name, value, unit, definition, better}; shares are of all queries.",
        "local e = im.evaluate.predictions({ { found = true, error_m = 2 }, { found = false } })\n"
        "print(e.metrics[2].name == 'found_rate' and e.metrics[2].value == 0.5) --> true",
        describe_options<PredictionMetricsOptions>),
    bind<write_geojson_file>(
        "write_geojson", "evaluate.write_geojson(path, queries) -> true",
        "Writes queries as GeoJSON: true positions, predictions and the lines between them. A query is a "
        "table: "
        "query (its name), truth and predicted ({latitude_deg, longitude_deg}, either may be missing), "
        "predicted_name, error_m, and properties, more of the prediction. Returns nil, message, code when "
        "the "
        "file cannot be written.",
        "local path = os.tmpname()\n"
        "local at = { latitude_deg = 46.8, longitude_deg = 8.2 }\n"
        "assert(im.evaluate.write_geojson(path, { { query = 'a.jpg', predicted = at } }))\n"
        "print(im.io.read_json(path).features[1].geometry.coordinates[1] == 8.2) --> true\n"
        "os.remove(path)"),
    bind<write_kml_file>(
        "write_kml", "evaluate.write_kml(path, queries) -> true",
        "The same as KML 2.2, as map viewers open it; error_m labels the line between the two.",
        "local path = os.tmpname()\n"
        "local at = { latitude_deg = 46.8, longitude_deg = 8.2 }\n"
        "print(im.evaluate.write_kml(path, { { query = 'a.jpg', predicted = at } })) --> true\n"
        "os.remove(path)"),
};

#undef EVALUATE_TOKENS

}  // namespace evaluate_bindings

extern const Module evaluate_module;
const Module evaluate_module{"evaluate", "Metrics against a known truth, statistics and their intervals.",
                             evaluate_bindings::kEvaluateFunctions};

}  // namespace imatch::host
