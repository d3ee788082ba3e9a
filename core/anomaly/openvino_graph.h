// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <tuple>

#include "anomaly/model.h"
#include "backbone/backbone.h"
#include "base/field.h"

namespace ov {
class Model;
}

namespace imatch {

struct AnomalyGraphOptions {
  std::string layout = "raw";
  bool preprocess_inside = false;
  double block_mb = 32;

  static constexpr std::string_view kLayouts[] = {"raw", "anomalib"};
  using Self = AnomalyGraphOptions;
  static constexpr auto fields = std::tuple{
      field("layout", &Self::layout, one_of(kLayouts),
            "'raw': input 'input' [1, 3, H, W], RGB normalised by ImageNet's mean and deviation, outputs "
            "'anomaly_map' [1, 1, H, W] and 'pred_score' [1], distances. 'anomalib': what its "
            "OpenVINOInferencer "
            "reads: input RGB in [0, 1], outputs pred_score, pred_label, anomaly_map and pred_mask, scores "
            "within "
            "[0, 1] with the threshold at 0.5."),
      field(
          "preprocess_inside", &Self::preprocess_inside, anything(),
          "Resizing (antialiased) and normalisation are part of the graph: its input is RGB in [0, 1] of any "
          "size. Always so for 'anomalib'."),
      field("block_mb", &Self::block_mb, in_range(0.001, 65536),
            "Largest table of distances, in 10^6 bytes: the memory bank is searched in blocks of rows.")};
};

/// The network, the search of the memory bank and the map as one OpenVINO graph. Weights and bank are float16
/// constants; all that is computed is float32 unless the device is told otherwise. Neighbours are found by
/// the matrix form of the distance among a few candidates, whose distances are taken by direct difference. At
/// inference a device needs the float32 bank twice, one block's table and the network's own maps. Throws
/// Error for a backbone that has no graph: a TorchScript file, or dense SIFT. A vision transformer has one
/// for the size of its model only.
std::shared_ptr<ov::Model> anomaly_graph(const AnomalyModel& model, const Backbone& backbone,
                                         const AnomalyGraphOptions& options = {});

}  // namespace imatch
