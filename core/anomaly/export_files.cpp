// SPDX-License-Identifier: Apache-2.0
#include "anomaly/export_files.h"

#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <filesystem>
#include <openvino/core/model.hpp>
#include <openvino/core/runtime_attribute.hpp>
#include <openvino/pass/manager.hpp>
#include <openvino/pass/serialize.hpp>
#include <sstream>

#include "base/error.h"
#include "base/file.h"
#include "base/sha256.h"
#include "io/json_file.h"

namespace imatch {
namespace {

/// Tells devices to compute an operation in float32 as it is written: by default OpenVINO's CPU plugin takes
/// bfloat16 where the processor multiplies that, and distances then err by up to 2. OpenVINO's name for it.
class Precise final : public ov::RuntimeAttribute {
 public:
  OPENVINO_RTTI("precise", "0", ov::RuntimeAttribute);
  bool visit_attributes(ov::AttributeVisitor&) override { return true; }
};

/// Through memory, so that a full disk is told and nothing is left half-written.
void write_graph(const std::shared_ptr<ov::Model>& graph, const std::string& path) {
  for (const auto& operation : graph->get_ops())
    operation->get_rt_info()[Precise::get_type_info_static()] = Precise();
  std::ostringstream xml, bin;
  ov::pass::Manager manager;
  manager.register_pass<ov::pass::Serialize>(xml, bin);
  manager.run_passes(graph);
  write_file_atomically(path + ".bin", bin.view());
  write_file_atomically(path + ".xml", xml.view());
}

constexpr const char* kExportedEndings[] = {".xml", ".bin"};

}  // namespace

Parity export_anomaly_model(const std::string& model_folder, const AnomalyData& data,
                            const AnomalyGraphOptions& options, const std::string& device) {
  const at::NoGradGuard no_gradients;
  const AnomalyModel model = load_anomaly_model(model_folder);
  const auto backbone = open_anomaly_backbone(backbone_in_folder(model.config, model_folder), device);
  const AnomalyScorer scorer(model, backbone);
  const std::string path = model_folder + "/" + model.config.pattern_name;
  AnomalyGraphOptions raw = options;
  raw.layout = "raw";
  write_graph(anomaly_graph(model, *backbone, raw), path);
  std::vector<AnomalySample> samples = data.train;
  samples.insert(samples.end(), data.test.begin(), data.test.end());
  Parity parity = check_parity(scorer, model.thresholds, path + ".xml", samples);
  for (const char* ending : kExportedEndings)
    parity.report["files"][model.config.pattern_name + ending] = sha256_file(path + ending);
  parity.report["files"]["checkpoint.ckpt"] = sha256_file(model_folder + "/checkpoint.ckpt");
  write_json(model_folder + "/parity.json", parity.report);
  if (!parity.holds) {
    for (const char* ending : kExportedEndings) std::filesystem::remove(path + ending);
    throw Failure(code::kNoResult,
                  fmt::format("export of '{}': {}", model.config.pattern_name, parity.problem));
  }
  if (options.layout == "anomalib") write_graph(anomaly_graph(model, *backbone, options), path + ".anomalib");
  return parity;
}

void require_exported_files(const std::string& model_folder, const std::string& pattern_name) {
  const Json report = read_json(model_folder + "/parity.json");
  for (const std::string& file :
       {pattern_name + ".xml", pattern_name + ".bin", std::string("checkpoint.ckpt")}) {
    const std::string path = model_folder + "/" + file;
    const std::string expected = report.contains("files") ? report["files"].value(file, "") : "";
    if (sha256_file(path) != expected)
      throw Failure(code::kBadFormat,
                    fmt::format("{}: it is not the file that parity.json compared; export again", path));
  }
}

}  // namespace imatch
