// SPDX-License-Identifier: Apache-2.0
#include "backbone/dtype_drift.h"

#include <ATen/ops/cosine_similarity.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "backbone/backbone.h"
#include "backbone/spec.h"
#include "base/device.h"
#include "base/error.h"

namespace imatch {
namespace {

void compare(const Features& exact, const Features& other, DtypeDrift& drift) {
  drift.token_max_abs =
      std::max(drift.token_max_abs, exact.tokens.sub(other.tokens).abs().max().item<double>());
  const at::Tensor cosine =
      at::cosine_similarity(exact.tokens, other.tokens, 1).masked_select(exact.tokens.square().sum(1).gt(0));
  if (cosine.numel() > 0) {
    drift.token_min_cosine = std::min(drift.token_min_cosine, cosine.min().item<double>());
    drift.token_mean_cosine += cosine.mean().item<double>();
  } else {
    drift.token_mean_cosine += 1;
  }
  drift.global_min_cosine =
      std::min(drift.global_min_cosine, at::cosine_similarity(exact.global, other.global, 0).item<double>());
}

}  // namespace

std::vector<DtypeDrift> dtype_drift(const std::string& spec, const Json& options,
                                    std::span<const Image* const> images) {
  if (images.empty()) throw Error("dtype_drift: expected at least one image");
  BackboneSpec parsed = parse_spec(spec);
  if (options.is_object()) parsed.options.update(options);
  const BackboneKind& kind = backbone_kind_of(parsed.name);
  const auto dtype_field = std::ranges::find(kind.options, "dtype", &FieldInfo::name);
  if (dtype_field == kind.options.end())
    throw Error(fmt::format("dtype_drift: the backbone '{}' has no option 'dtype'", kind.name));

  const bool on_cpu = resolve_device(parsed.options.value("device", "auto")).is_cpu();
  std::vector<Features> exact;
  std::vector<DtypeDrift> rows;
  for (const char* dtype : {"fp32", "bf16", "fp16", "int8"}) {
    if (dtype_field->allowed.find(fmt::format("'{}'", dtype)) == std::string::npos) continue;
    if (dtype == std::string_view("int8") && !on_cpu) continue;
    parsed.options["dtype"] = dtype;
    const auto backbone = kind.open(parsed.options);
    backbone->extract(images);
    const auto start = std::chrono::steady_clock::now();
    std::vector<Features> features = backbone->extract(images);
    const std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - start;
    if (exact.empty()) exact = features;
    DtypeDrift drift{.dtype = dtype, .token_mean_cosine = 0};
    drift.ms_per_image = elapsed.count() / static_cast<double>(images.size());
    for (std::size_t i = 0; i < images.size(); ++i) compare(exact[i], features[i], drift);
    drift.token_mean_cosine /= static_cast<double>(images.size());
    rows.push_back(std::move(drift));
  }
  return rows;
}

}  // namespace imatch
