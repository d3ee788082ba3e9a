// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "anomaly/model.h"

namespace imatch {

/// Turns what the trainer in Python left, patchcore_model.pt (a ResNet's weights, memory_bank, backbone,
/// layers, image_size, num_neighbors, norm_stats) and norm_stats.txt beside it, into a model in
/// `model_folder`, with the network's weights in backbone.weights. Its method is anomalib's. There are no
/// thresholds in those files: they lie two thousandths above the largest score and the largest pixel of the
/// training images. Throws Failure: not_found, bad_format for a file that is something else, as
/// save_anomaly_model.
AnomalyModel import_trainer_model(const std::string& pt_path, const std::string& model_folder);

}  // namespace imatch
