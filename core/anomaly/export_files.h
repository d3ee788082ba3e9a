// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "anomaly/openvino_graph.h"
#include "anomaly/parity.h"
#include "anomaly/training_data.h"

namespace imatch {

/// Writes <pattern>.xml and .bin into a model's folder, reads them again and compares them with the trained
/// model on pictures of `data`, then parity.json with the comparison and the files' SHA-256. Where the two
/// part the files are removed and Failure (no_result) says where. The 'anomalib' layout, whose scores are
/// scaled, is written as <pattern>.anomalib.xml from the graph that was compared, with the other outputs.
/// Throws Failure as load_anomaly_model and write_file_atomically (no_space), Error as anomaly_graph.
Parity export_anomaly_model(const std::string& model_folder, const AnomalyData& data,
                            const AnomalyGraphOptions& options, const std::string& device = "auto");

/// Throws Failure (bad_format) for files that are not those that parity.json compared, (not_found) for
/// missing ones.
void require_exported_files(const std::string& model_folder, const std::string& pattern_name);

}  // namespace imatch
