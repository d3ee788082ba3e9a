// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <mutex>

#include "backbone/backbone.h"
#include "backbone/dense_sift.h"
#include "backbone/dinov2_dinov3.h"
#include "backbone/efficientnet_lite.h"
#include "backbone/resnet.h"
#include "backbone/spec.h"
#include "backbone/user_network_kinds.h"
#include "base/error.h"
#include "base/mapped_memory.h"
#include "base/spelling.h"

namespace imatch {
namespace {

/// One line a kind.
std::vector<BackboneKind> make_kinds() {
  std::vector<BackboneKind> kinds{backbone_kind<DenseSift>()};
  std::ranges::move(efficientnet_lite_kinds(), std::back_inserter(kinds));
  std::ranges::move(dino_kinds(), std::back_inserter(kinds));
  std::ranges::move(resnet_kinds(), std::back_inserter(kinds));
  std::ranges::move(user_network_kinds(), std::back_inserter(kinds));
  std::ranges::sort(kinds, {}, &BackboneKind::name);
  return kinds;
}

struct Opened {
  std::mutex mutex;
  std::map<std::string, std::shared_ptr<const Backbone>> by_options;
};

Opened& opened() {
  // Never destroyed: what a network runs on may be gone when the process ends by exit().
  static Opened& all = *new Opened;
  return all;
}

}  // namespace

std::span<const BackboneKind> backbone_kinds() {
  static const std::vector<BackboneKind> kinds = make_kinds();
  return kinds;
}

const BackboneKind& backbone_kind_of(const std::string& name) {
  std::vector<std::string> names;
  for (const BackboneKind& kind : backbone_kinds()) {
    if (kind.name == name) return kind;
    names.push_back(kind.name);
  }
  throw Error(fmt::format("backbone: there is no '{}'{}; expected one of {}", name, did_you_mean(name, names),
                          joined(names)));
}

std::shared_ptr<const Backbone> open_backbone(const std::string& spec, const Json& options) {
  BackboneSpec parsed = parse_spec(spec);
  const BackboneKind& kind = backbone_kind_of(parsed.name);
  if (options.is_object())
    parsed.options.update(options);
  else if (!options.empty())
    kind.complete(options);  // throws: options are not a list
  const Json complete = kind.complete(parsed.options);
  const std::string key = kind.name + complete.dump();

  Opened& all = opened();
  const std::lock_guard lock(all.mutex);
  const auto found = all.by_options.find(key);
  if (found != all.by_options.end()) return found->second;
  std::shared_ptr<const Backbone> backbone = kind.open(complete);
  require_whole_mappings();  // else what was opened of half a file would be handed out again
  all.by_options.emplace(key, backbone);
  return backbone;
}

std::vector<std::shared_ptr<const Backbone>> opened_backbones() {
  Opened& all = opened();
  const std::lock_guard lock(all.mutex);
  std::vector<std::shared_ptr<const Backbone>> list;
  for (const auto& [key, backbone] : all.by_options) list.push_back(backbone);
  return list;
}

void close_backbones() {
  Opened& all = opened();
  std::map<std::string, std::shared_ptr<const Backbone>> closing;
  const std::lock_guard lock(all.mutex);
  closing.swap(all.by_options);
}

}  // namespace imatch
