// SPDX-License-Identifier: Apache-2.0
#include "anomaly/trainer_model.h"

#include <fmt/format.h>

#include <filesystem>

#include "anomaly/memory_bank.h"
#include "backbone/spec.h"
#include "base/error.h"
#include "base/file.h"
#include "base/sha256.h"
#include "io/safetensors.h"
#include "io/torch_file.h"

namespace imatch {
namespace {

/// The tree of a file of the trainer, with its expectations.
class TrainerFile {
 public:
  explicit TrainerFile(const std::string& path)
      : path_(path), tree_(load_torch_file(path)), root_(dict_of(tree_)) {
    if (!root_) fail("expected a dictionary");
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw Failure(code::kBadFormat, fmt::format("{}: no model of the trainer: {}", path_, what));
  }

  const PlainValue& at(std::string_view key) const {
    const PlainValue* const value = root_->find(key);
    if (!value) fail(fmt::format("there is no '{}' in it", key));
    return *value;
  }
  const PlainValue* find(std::string_view key) const { return root_->find(key); }

  std::string text(std::string_view key) const {
    const std::string* const text = text_of(at(key));
    if (!text) fail(fmt::format("'{}' is no text", key));
    return *text;
  }
  std::int64_t integer(const PlainValue& value, std::string_view key) const {
    const auto* const number = std::get_if<std::int64_t>(&value);
    if (!number || *number < 1) fail(fmt::format("'{}' is no positive integer", key));
    return *number;
  }
  const PlainList& list(std::string_view key) const {
    const PlainList* const list = list_of(at(key));
    if (!list || list->items.empty()) fail(fmt::format("'{}' is no list", key));
    return *list;
  }

 private:
  std::string path_;
  PlainValue tree_;
  const PlainDict* root_;
};

/// The tensors of the network inside of the model's, by their own names.
StateDict network_tensors(const TrainerFile& file, const std::string& path) {
  constexpr std::string_view kFirst = "conv1.weight", kBlock = "layer1.0.conv1.weight";
  const StateDict all = state_dict_of(file.at("model_state_dict"), path);
  for (const auto& [name, tensor] : all) {
    if (!name.ends_with(kFirst)) continue;
    const std::string prefix = name.substr(0, name.size() - kFirst.size());
    if (all.find(prefix + std::string(kBlock))) return all.below(prefix);
  }
  file.fail("there is no ResNet in 'model_state_dict'");
}

NormStats trainer_stats(const TrainerFile& file, const std::string& pt_path) {
  const std::string beside = std::filesystem::path(pt_path).replace_filename("norm_stats.txt").string();
  if (std::filesystem::exists(beside)) return NormStats::parse(read_file(beside), beside);
  const PlainValue* const table = file.find("norm_stats");
  const PlainDict* const numbers = table ? dict_of(*table) : nullptr;
  if (!numbers) throw Failure(code::kNotFound, fmt::format("{}: there is no such file", beside));
  std::string text;
  for (const auto& [key, value] : numbers->items) {
    const std::string* const name = text_of(key);
    if (!name) continue;
    if (const auto* const real = std::get_if<double>(&value)) text += fmt::format("{}={}\n", *name, *real);
    if (const auto* const whole = std::get_if<std::int64_t>(&value))
      text += fmt::format("{}={}\n", *name, *whole);
  }
  return NormStats::parse(text, pt_path + ": norm_stats");
}

at::Tensor trainer_bank(const TrainerFile& file) {
  const auto* const bank = std::get_if<at::Tensor>(&file.at("memory_bank"));
  if (!bank || bank->dim() != 2 || bank->size(0) == 0 || !bank->is_floating_point())
    file.fail("'memory_bank' is no matrix");
  return as_exported(*bank);
}

}  // namespace

AnomalyModel import_trainer_model(const std::string& pt_path, const std::string& model_folder) {
  const TrainerFile file(pt_path);
  AnomalyModel model;
  model.bank = trainer_bank(file);
  model.norm_stats = trainer_stats(file, pt_path);
  AnomalyModelConfig& config = model.config;
  config.pattern_name = std::filesystem::absolute(model_folder).lexically_normal().filename().string();
  const PlainValue& size = file.at("image_size");
  const auto pair = list_of(size) ? list_of(size)->items : std::vector<PlainValue>{size, size};
  if (pair.size() != 2) file.fail("'image_size' is not of two numbers");
  config.image_height = static_cast<int>(file.integer(pair[0], "image_size"));
  config.image_width = static_cast<int>(file.integer(pair[1], "image_size"));
  config.method.num_neighbors = static_cast<int>(file.integer(file.at("num_neighbors"), "num_neighbors"));
  if (const PlainValue* const ratio = file.find("coreset_sampling_ratio"))
    if (const auto* const number = std::get_if<double>(ratio)) config.coreset_ratio = *number;
  config.num_images = model.norm_stats.num_samples;

  const std::string weights = model_folder + "/" + kBackboneWeights;
  SafeTensors network;
  network.tensors = network_tensors(file, pt_path);
  write_safetensors(weights, network);
  BackboneSpec spec{.name = file.text("backbone"), .options = {{"dtype", "fp32_w16"}}};
  Json layers = Json::array();
  for (const PlainValue& layer : file.list("layers").items) {
    const std::string* const name = text_of(layer);
    if (!name) file.fail("'layers' are no texts");
    layers.push_back(*name);
  }
  spec.options["layers"] = layers;
  config.backbone = format_spec(spec);
  config.weights_sha256 = sha256_file(weights);

  const ScoredImages largest{.scores = {static_cast<float>(model.norm_stats.max_score)},
                             .map_maxima = {static_cast<float>(model.norm_stats.max_pixel)},
                             .anomalous = {0},
                             .taken_from = "norm_stats.txt"};
  model.thresholds = choose_thresholds(largest, {.rule = "quantile"});
  model.thresholds.num_images = model.norm_stats.num_samples;
  save_anomaly_model(model_folder, model);
  return model;
}

}  // namespace imatch
