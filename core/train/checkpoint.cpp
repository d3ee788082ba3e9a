// SPDX-License-Identifier: Apache-2.0
#include "train/checkpoint.h"

#include <fmt/format.h>

#include <charconv>
#include <filesystem>
#include <map>

#include "base/error.h"
#include "io/json_file.h"
#include "io/torch_file.h"

namespace imatch {
namespace fs = std::filesystem;
namespace {

PlainValue plain_of(const StateDict& tensors) {
  std::vector<std::pair<std::string, PlainValue>> items;
  for (const auto& [name, tensor] : tensors) items.emplace_back(name, tensor);
  return plain_dict(std::move(items));
}

PlainValue plain_of(const at::Tensor& tensor) {
  return tensor.defined() ? PlainValue(tensor) : PlainValue();
}

at::Tensor tensor_in(const PlainDict* dict, const char* name) {
  const PlainValue* value = dict ? dict->find(name) : nullptr;
  const auto* tensor = value ? std::get_if<at::Tensor>(value) : nullptr;
  return tensor ? *tensor : at::Tensor();
}

/// Files by their steps.
std::map<std::int64_t, fs::path> checkpoints_in(const std::string& folder) {
  std::map<std::int64_t, fs::path> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    constexpr std::string_view kBefore = "weights_", kAfter = ".pth";
    if (!name.starts_with(kBefore) || !name.ends_with(kAfter)) continue;
    const char* const begin = name.data() + kBefore.size();
    const char* const end = name.data() + name.size() - kAfter.size();
    std::int64_t step = 0;
    if (const auto read = std::from_chars(begin, end, step); read.ec == std::errc() && read.ptr == end)
      found.emplace(step, entry.path());
  }
  return found;
}

}  // namespace

void write_checkpoint(const std::string& path, const TrainingCheckpoint& checkpoint) {
  std::vector<std::pair<std::string, PlainValue>> items{{"model_state", plain_of(checkpoint.model)},
                                                        {"optim_state", checkpoint.optimiser},
                                                        {"scheduler_state", checkpoint.schedule},
                                                        {"step", checkpoint.step}};
  items.emplace_back("random_state", plain_dict({{"cpu", plain_of(checkpoint.cpu_random)},
                                                 {"cuda", plain_of(checkpoint.gpu_random)}}));
  items.emplace_back("config", plain_text(json_text(checkpoint.config, -1)));
  if (!checkpoint.extra.empty()) items.emplace_back("extra", plain_of(checkpoint.extra));
  write_torch_file(path, plain_dict(std::move(items)));
}

TrainingCheckpoint read_checkpoint(const std::string& path) {
  const PlainValue tree = load_torch_file(path);
  const PlainDict* top = dict_of(tree);
  const PlainValue* model = top ? top->find("model_state") : nullptr;
  TrainingCheckpoint checkpoint;
  checkpoint.model = state_dict_of(model ? *model : tree, path);
  if (checkpoint.model.empty()) throw Failure(code::kBadFormat, path + ": no tensors; expected a checkpoint");
  if (!model) return checkpoint;
  const auto value = [&](const char* name) {
    const PlainValue* found = top->find(name);
    return found ? *found : PlainValue();
  };
  checkpoint.optimiser = value("optim_state");
  checkpoint.schedule = value("scheduler_state");
  const PlainDict* schedule = dict_of(checkpoint.schedule);
  for (const PlainValue* step : {top->find("step"), schedule ? schedule->find("last_epoch") : nullptr})
    if (const auto* number = step ? std::get_if<std::int64_t>(step) : nullptr) {
      checkpoint.step = *number;
      break;
    }
  const PlainValue random = value("random_state");
  checkpoint.cpu_random = tensor_in(dict_of(random), "cpu");
  checkpoint.gpu_random = tensor_in(dict_of(random), "cuda");
  const PlainValue config = value("config");
  if (const std::string* text = text_of(config)) checkpoint.config = parse_json(*text, path + ": config");
  checkpoint.extra = state_dict_of(value("extra"), path);
  return checkpoint;
}

std::string checkpoint_name(std::int64_t step) {
  return fmt::format("weights_{}.pth", step);
}

std::string newest_checkpoint(const std::string& folder) {
  const auto found = checkpoints_in(folder);
  return found.empty() ? std::string() : found.rbegin()->second.string();
}

void remove_old_checkpoints(const std::string& folder, int kept) {
  if (kept <= 0) return;
  auto found = checkpoints_in(folder);
  std::error_code ignored;
  for (auto oldest = found.begin(); found.size() > static_cast<std::size_t>(kept);
       oldest = found.erase(oldest))
    fs::remove(oldest->second, ignored);
}

}  // namespace imatch
