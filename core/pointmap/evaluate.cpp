// SPDX-License-Identifier: Apache-2.0
#include "pointmap/evaluate.h"

#include <ATen/TensorIndexing.h>
#include <ATen/TensorOperators.h>
#include <fmt/format.h>

#include "base/error.h"
#include "base/progress.h"
#include "evaluation/point_cloud_metrics.h"
#include "pointmap/constant_loss.h"
#include "pointmap/loss.h"
#include "pointmap/target.h"

namespace imatch {
namespace {

/// Sums of the numbers of samples, by name.
void add_numbers(Json& sums, const Json& row) {
  for (const auto& [name, value] : row.items())
    if (value.is_number()) sums[name] = sums.value(name, 0.0) + value.get<double>();
}

class PointMapEvaluation {
 public:
  PointMapEvaluation(const PointMapModel& model, const std::string& root,
                     const PointMapEvaluationOptions& options)
      : model_(model), folder_(root), options_(options) {}

  Json run() {
    const std::vector<std::string> ids = folder_.ids(options_.data);
    if (ids.empty()) throw Failure(code::kNotFound, "point maps: no samples are left to evaluate");
    Progress progress("evaluate", "samples", ids.size());
    Json samples = Json::array(), sums = Json::object();
    std::size_t with_points = 0;
    for (const std::string& id : ids) {
      samples.push_back(sample(id));
      if (samples.back().contains("posed_pck")) {
        ++with_points;
        add_numbers(sums, samples.back());
      }
      progress.advance();
    }
    Json mean = Json::object();
    for (const auto& [name, sum] : sums.items())
      mean[name] = sum.get<double>() / static_cast<double>(with_points);
    const auto count = static_cast<double>(ids.size());
    return {{"samples", samples},
            {"mean", mean},
            {"without_points", ids.size() - with_points},
            {"loss",
             {{"points", points_loss_ / count},
              {"occupancy", occupancy_loss_ / count},
              {"constant_points", constant_.points()},
              {"constant_occupancy", constant_.occupancy()}}}};
  }

 private:
  std::string features_of(const std::string& id) const {
    const std::string& kind = model_.features().kind;
    return kind == "png"   ? folder_.features(id, ".png")
           : kind == "npy" ? folder_.features(id, ".npy")
                           : folder_.image(id);
  }

  Json sample(const std::string& id) {
    const DualPointMapShape& shape = model_.shape();
    const PointMapInput input = model_.input(features_of(id), folder_.mask(id));
    const at::Tensor prediction = model_.predict(input.features);
    const at::Tensor target =
        point_map_target(folder_.point_map(id, shape.resolution), shape.layers, shape.resolution);
    add_losses(prediction, target);
    const PointMapPoints made = model_.points(prediction, input.mask, options_.points);
    const PointMapPoints wanted = points_of_target(target);
    Json row{{"id", id}, {"points", made.layer.size(0)}, {"true_points", wanted.layer.size(0)}};
    if (made.layer.size(0) == 0 || wanted.layer.size(0) == 0) return row;
    const at::Tensor everywhere =
        prediction.reshape({shape.layers, -1, prediction.size(1), prediction.size(2)})
            .permute({0, 2, 3, 1})
            .index({wanted.layer, wanted.pixel.select(1, 0), wanted.pixel.select(1, 1)});
    add_distances(row, "canonical", made.canonical, wanted.canonical, everywhere.narrow(1, 0, 3));
    add_distances(row, "posed", made.posed, wanted.posed, everywhere.narrow(1, 3, 3));
    return row;
  }

  void add_losses(const at::Tensor& prediction, const at::Tensor& target) {
    const at::Tensor whole = target.unsqueeze(0);
    const PointMapLosses losses = point_map_losses(prediction.unsqueeze(0), whole,
                                                   point_map_amounts(whole, false), model_.shape(), 1, false);
    points_loss_ += losses.points.item<double>();
    if (losses.occupancy.defined()) occupancy_loss_ += losses.occupancy.item<double>();
    constant_.add(target);
  }

  void add_distances(Json& row, const std::string& name, const at::Tensor& made, const at::Tensor& wanted,
                     const at::Tensor& at_the_same_pixels) const {
    const PointCloudDistance found = point_cloud_distance(made, wanted, options_.fscore_shares);
    row[name + "_chamfer_l1"] = found.chamfer_l1;
    row[name + "_chamfer_l2"] = found.chamfer_l2;
    row[name + "_chamfer_share"] = found.diagonal > 0 ? found.chamfer_l1 / found.diagonal : 0;
    for (std::size_t i = 0; i < found.fscore.size(); ++i)
      row[fmt::format("{}_fscore_{:g}", name, options_.fscore_shares[i])] = found.fscore[i];
    row[name + "_pck"] = correct_points(at_the_same_pixels, wanted, options_.pck_share);
  }

  const PointMapModel& model_;
  PointMapFolder folder_;
  PointMapEvaluationOptions options_;
  ConstantLoss constant_;
  double points_loss_ = 0, occupancy_loss_ = 0;
};

}  // namespace

Json evaluate_point_maps(const PointMapModel& model, const std::string& root,
                         const PointMapEvaluationOptions& options) {
  return PointMapEvaluation(model, root, options).run();
}

}  // namespace imatch
