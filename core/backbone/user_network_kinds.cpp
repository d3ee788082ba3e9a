// SPDX-License-Identifier: Apache-2.0
#include "backbone/user_network_kinds.h"

#include <tuple>

#include "backbone/network_backbone.h"
#include "backbone/openvino_network.h"
#include "backbone/torchscript_network.h"
#include "base/error.h"

namespace imatch {
namespace {

constexpr auto file_field(const char* doc) {
  return std::tuple{field("file", &NetworkOptions::weights, anything(), doc)};
}

struct OnnxOptions : UserNetworkOptions {
  OnnxOptions() { device = "cpu"; }

  static constexpr auto fields =
      std::tuple_cat(file_field("Path of the model: .onnx, with the files of its external data beside it, or "
                                "OpenVINO's .xml with its .bin."),
                     frame_fields(1), user_network_fields(), batch_size_field());
};

struct TorchScriptOptions : UserNetworkOptions {
  static constexpr auto fields = std::tuple_cat(
      file_field("Path of a file of torch.jit.save. It is a program: load only what you trust."),
      frame_fields(1), user_network_fields(), running_fields());
};

void require_file_option(const char* kind, const NetworkOptions& options) {
  if (options.weights.empty())
    throw Error(std::string(kind) + " options: file: expected the path of the model");
}

}  // namespace

std::vector<BackboneKind> user_network_kinds() {
  return {
      network_kind<OnnxOptions>({.name = "onnx",
                                 .doc = "Any network that was exported to ONNX or OpenVINO's format, in "
                                        "float32 on the CPU through OpenVINO.",
                                 .open =
                                     [](const OnnxOptions& options, NetworkPlace) {
                                       require_file_option("onnx", options);
                                       return open_openvino_network(options);
                                     }}),
      network_kind<TorchScriptOptions>({.name = "torchscript",
                                        .doc = "Any network that was traced or scripted with torch.jit. Such "
                                               "a file is code that runs with your "
                                               "rights: load only your own.",
                                        .open = [](const TorchScriptOptions& options, NetworkPlace place) {
                                          require_file_option("torchscript", options);
                                          return open_torchscript_network(options, place);
                                        }})};
}

}  // namespace imatch
