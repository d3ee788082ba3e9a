// SPDX-License-Identifier: Apache-2.0
#include "retrieval/vector_origins.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace imatch {
namespace {

std::string text_of(const Json& config, const char* key) {
  const auto found = config.find(key);
  if (found == config.end() || found->is_null()) return "";
  return found->is_string() ? found->get<std::string>() : found->dump();
}

std::string vectors(std::int64_t count) {
  return fmt::format("{} vector{}", count, count == 1 ? "" : "s");
}

}  // namespace

VectorOrigin vector_origin(const Json& meta) {
  VectorOrigin origin;
  if (!meta.is_object() || !meta.contains("config") || !meta["config"].is_object()) return origin;
  const Json& config = meta["config"];
  origin.source = {text_of(config, "backbone"), text_of(config, "weights_sha256"), text_of(config, "global")};
  if (origin.source.backbone.empty() && origin.source.global.empty() && config.contains("weight_id"))
    origin.source.global = "mean_prenorm";
  for (std::size_t i = 0; i < origin.settings.size(); ++i)
    origin.settings[i] = text_of(config, VectorOrigins::kSettings[i]);
  return origin;
}

void VectorOrigins::add(const VectorOrigin& origin) {
  for (std::size_t i = 0; i < settings_.size(); ++i)
    if (!origin.settings[i].empty()) ++settings_[i][origin.settings[i]];
  ++(origin.source.backbone.empty() ? num_without_backbone_ : num_with_backbone_);
}

void VectorOrigins::add(const VectorOrigins& others) {
  for (std::size_t i = 0; i < settings_.size(); ++i)
    for (const auto& [value, count] : others.settings_[i]) settings_[i][value] += count;
  num_with_backbone_ += others.num_with_backbone_;
  num_without_backbone_ += others.num_without_backbone_;
}

std::vector<std::string> VectorOrigins::differences() const {
  std::vector<std::string> list;
  for (std::size_t i = 0; i < settings_.size(); ++i) {
    if (settings_[i].size() < 2) continue;
    std::vector<std::string> values;
    for (const auto& [value, count] : settings_[i])
      values.push_back(fmt::format("'{}' ({})", value, vectors(count)));
    list.push_back(fmt::format("{}: {}", kSettings[i], fmt::join(values, ", ")));
  }
  if (num_with_backbone_ > 0 && num_without_backbone_ > 0)
    list.push_back(fmt::format("backbone: {} of {} do not say which one made them", num_without_backbone_,
                               vectors(num_with_backbone_ + num_without_backbone_)));
  return list;
}

}  // namespace imatch
