// SPDX-License-Identifier: Apache-2.0
#include "anomaly/model.h"

#include <ATen/ops/from_blob.h>
#include <fmt/format.h>

#include <cstring>
#include <filesystem>

#include "backbone/spec.h"
#include "base/error.h"
#include "base/file.h"
#include "io/json_file.h"
#include "io/safetensors.h"

namespace imatch {
namespace {

constexpr const char* kModelFormat = "imatch-patchcore-1";

struct WeightsFamily {
  std::string_view begin_of_sha256;
  std::string_view name;
};
constexpr WeightsFamily kWeightsFamilies[] = {
    {"f37072fd", "torchvision IMAGENET1K_V1"}, {"0676ba61", "torchvision IMAGENET1K_V1"},
    {"95faca4d", "torchvision IMAGENET1K_V1"}, {"11ad3fa6", "torchvision IMAGENET1K_V2"},
    {"32ee1156", "torchvision IMAGENET1K_V2"}, {"8234f177", "timm racm_in1k"},
};

void append_yaml(std::string& text, const Json& table, int indent) {
  for (const auto& [key, value] : table.items()) {
    text += fmt::format("{:{}}{}:", "", indent, key);
    if (value.is_object()) {
      text += "\n";
      append_yaml(text, value, indent + 2);
    } else {
      text += " " + value.dump() + "\n";  // lists in flow style
    }
  }
}

at::Tensor template_tensor(const Image& image) {
  return at::from_blob(const_cast<std::uint8_t*>(image.rgb.data()), {image.height, image.width, 3}, at::kByte)
      .clone();
}

Image template_image(const at::Tensor& tensor) {
  const at::Tensor pixels = tensor.contiguous();
  Image image(static_cast<int>(pixels.size(1)), static_cast<int>(pixels.size(0)));
  std::memcpy(image.rgb.data(), pixels.const_data_ptr<std::uint8_t>(), image.rgb.size());
  return image;
}

[[noreturn]] void model_does_not_fit(const std::string& path, const std::string& what) {
  throw Failure(code::kBadFormat, fmt::format("{}: {}", path, what));
}

}  // namespace

std::string yaml_text(const Json& table) {
  std::string text;
  append_yaml(text, table, 0);
  return text;
}

std::string backbone_in_folder(const AnomalyModelConfig& config, const std::string& folder) {
  const std::string weights = folder + "/" + kBackboneWeights;
  if (!std::filesystem::exists(weights)) return config.backbone;
  BackboneSpec spec = parse_spec(config.backbone);
  spec.options["weights"] = weights;
  return format_spec(spec);
}

std::string_view resnet_weights_family(std::string_view sha256) {
  for (const WeightsFamily& family : kWeightsFamilies)
    if (sha256.starts_with(family.begin_of_sha256)) return family.name;
  return "";
}

void save_anomaly_model(const std::string& folder, const AnomalyModel& model) {
  for (const std::string& file :
       {model.config.pattern_name + ".xml", model.config.pattern_name + ".bin", std::string("parity.json")}) {
    std::error_code absent;
    std::filesystem::remove(folder + "/" + file, absent);
  }
  const Json config = options_to_json(model.config);
  SafeTensors checkpoint;
  checkpoint.tensors.add("bank", model.bank);
  if (model.region) checkpoint.tensors.add("region", template_tensor(model.region->template_image));
  checkpoint.metadata = {{"format", kModelFormat},
                         {"config", json_text(config, -1)},
                         {"norm_stats", model.norm_stats.text()},
                         {"thresholds", json_text(model.thresholds.to_json(), -1)}};
  write_file_atomically(folder + "/config.yaml", yaml_text(config));
  write_json(folder + "/thresholds.json", model.thresholds.to_json());
  write_file_atomically(folder + "/norm_stats.txt", model.norm_stats.text());
  write_safetensors(folder + "/checkpoint.ckpt", checkpoint);
}

AnomalyModel load_anomaly_model(const std::string& folder) {
  const std::string path = folder + "/checkpoint.ckpt";
  const SafeTensors checkpoint = read_safetensors(path);
  const auto text = [&](const char* key) -> const std::string& {
    const auto found = checkpoint.metadata.find(key);
    if (found == checkpoint.metadata.end())
      model_does_not_fit(path, fmt::format("there is no '{}' in it", key));
    return found->second;
  };
  if (text("format") != kModelFormat)
    model_does_not_fit(path, fmt::format("format '{}'; expected '{}'", text("format"), kModelFormat));
  AnomalyModel model;
  const Json config = parse_json(text("config"), path + ": config");
  model.config = parse_options<AnomalyModelConfig>(config, path + ": config");
  // As it was written: an option that is newer than the model has its default.
  if (read_file(folder + "/config.yaml") != yaml_text(config))
    model_does_not_fit(
        folder + "/config.yaml",
        "it says something else than checkpoint.ckpt; a model is changed by training it again");
  const at::Tensor* bank = checkpoint.tensors.find("bank");
  if (!bank || bank->dim() != 2 || bank->size(0) == 0 || bank->scalar_type() != at::kFloat)
    model_does_not_fit(path, "expected a tensor 'bank' [M, D] float32");
  model.bank = *bank;
  if (const at::Tensor* region = checkpoint.tensors.find("region")) {
    if (region->dim() != 3 || region->size(2) != 3 || region->scalar_type() != at::kByte)
      model_does_not_fit(path, "expected a tensor 'region' [H, W, 3] uint8");
    model.region = InspectedRegion{template_image(*region), model.config.region_threshold};
  }
  model.norm_stats = NormStats::parse(read_file(folder + "/norm_stats.txt"), folder + "/norm_stats.txt");
  model.thresholds =
      Thresholds::from_json(read_json(folder + "/thresholds.json"), folder + "/thresholds.json");
  return model;
}

}  // namespace imatch
