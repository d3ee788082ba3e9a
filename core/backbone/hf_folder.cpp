// SPDX-License-Identifier: Apache-2.0
#include "backbone/hf_folder.h"

#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <vector>

#include "base/error.h"
#include "base/sha256.h"
#include "io/json_file.h"

namespace imatch {
namespace {

constexpr const char* kConfig = "config.json";
/// What save_pretrained writes now, and what it wrote before: the tensors, or an index of the files that hold
/// them.
struct Layout {
  const char* tensors;
  const char* index;
};
constexpr Layout kLayouts[] = {{"model.safetensors", "model.safetensors.index.json"},
                               {"pytorch_model.bin", "pytorch_model.bin.index.json"}};

[[noreturn]] void fail(const std::string& where, const std::string& what) {
  throw Failure(code::kBadFormat, where + ": " + what);
}

/// Adds the tensors of a model in several files: {"weight_map": {tensor: file}}. Returns the files' names.
std::vector<std::string> read_shards(const std::string& folder, const std::string& path, StateDict& tensors) {
  const Json index = read_json(path);
  if (!index.is_object() || !index.contains("weight_map") || !index["weight_map"].is_object())
    fail(path, "no object 'weight_map'");
  std::map<std::string, StateDict> shards;
  for (const auto& [tensor, file] : index["weight_map"].items()) {
    if (!file.is_string()) fail(path, fmt::format("the file of the tensor '{}' is no text", tensor));
    const std::string name = file.get<std::string>();
    if (name.find('/') != std::string::npos)
      fail(path, fmt::format("the file '{}' of the tensor '{}' is not in the folder", name, tensor));
    auto shard = shards.find(name);
    if (shard == shards.end()) shard = shards.emplace(name, load_state_dict(folder + "/" + name)).first;
    const at::Tensor* found = shard->second.find(tensor);
    if (!found) fail(path, fmt::format("the tensor '{}' is not in the file '{}'", tensor, name));
    if (tensors.find(tensor)) fail(path, fmt::format("the tensor '{}' occurs twice", tensor));
    tensors.add(tensor, *found);
  }
  std::vector<std::string> names;
  for (const auto& [name, shard] : shards) names.push_back(name);
  return names;
}

template <class Is>
const Json* entry(const Json& config, const std::string& key, Is is, const char* type) {
  const auto found = config.find(key);
  if (found == config.end() || found->is_null()) return nullptr;
  if (!is(*found)) fail(kConfig, fmt::format("'{}' is {}; expected {}", key, found->dump(), type));
  return &*found;
}

}  // namespace

HfFolder read_hf_folder(const std::string& folder, bool with_preprocessor) {
  HfFolder result;
  result.config = read_json(folder + "/" + kConfig);
  if (!result.config.is_object()) fail(folder + "/" + kConfig, "no object");
  std::vector<std::string> files;
  for (const auto& [tensors, index] : kLayouts) {
    if (std::filesystem::exists(folder + "/" + index))
      files = read_shards(folder, folder + "/" + index, result.tensors);
    else if (std::filesystem::exists(folder + "/" + tensors))
      result.tensors = load_state_dict(folder + "/" + tensors), files = {tensors};
    if (!files.empty()) break;
  }
  if (files.empty())
    throw Failure(code::kNotFound, fmt::format("{}: no tensors; expected {} or {}", folder,
                                               kLayouts[0].tensors, kLayouts[1].tensors));
  files.insert(files.begin(), kConfig);
  if (with_preprocessor && std::filesystem::exists(folder + "/" + kHfPreprocessorFile))
    files.emplace_back(kHfPreprocessorFile);
  result.sha256 = sha256_files(folder, files);
  return result;
}

double config_number(const Json& config, const std::string& key, double missing) {
  const Json* value = entry(
      config, key, [](const Json& v) { return v.is_number(); }, "a number");
  return value ? value->get<double>() : missing;
}

bool config_flag(const Json& config, const std::string& key, bool missing) {
  const Json* value = entry(
      config, key, [](const Json& v) { return v.is_boolean(); }, "true or false");
  return value ? value->get<bool>() : missing;
}

std::string config_text(const Json& config, const std::string& key, const std::string& missing) {
  const Json* value = entry(
      config, key, [](const Json& v) { return v.is_string(); }, "a text");
  return value ? value->get<std::string>() : missing;
}

}  // namespace imatch
