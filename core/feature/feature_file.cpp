// SPDX-License-Identifier: Apache-2.0
#include "feature/feature_file.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/sha256.h"
#include "io/json_file.h"
#include "io/safetensors.h"

namespace imatch {
namespace {

constexpr std::size_t kDigest = 64;

/// Eight bytes, as the digest is 64: the tensors behind them stay aligned.
std::string magic() {
  return fmt::format("imfeat{:02}", kFeatureFormat);
}

[[noreturn]] void fail(const std::string& name, const std::string& what) {
  throw Failure(code::kBadFormat, name + ": " + what);
}

}  // namespace

std::string feature_bytes(const Features& features, double compute_ms) {
  SafeTensors content;
  content.tensors.add("global", features.global);
  content.tensors.add("tokens", features.tokens);
  if (features.selectable.defined()) content.tensors.add("selectable", features.selectable);
  content.metadata["features"] = json_text({{"rows", features.rows},
                                            {"cols", features.cols},
                                            {"original_from_grid", features.original_from_grid.m},
                                            {"image_width", features.image_width},
                                            {"image_height", features.image_height},
                                            {"rotation_deg", features.rotation_deg},
                                            {"backbone", features.backbone},
                                            {"key", features.key},
                                            {"compute_ms", compute_ms}},
                                           -1);
  const std::string body = safetensors_bytes(content);
  return magic() + sha256_hex(body) + body;
}

StoredFeatures parse_features(const ByteRange& file, const std::string& name) {
  const std::string_view text(reinterpret_cast<const char*>(file.bytes.data()), file.size());
  const std::size_t start = magic().size() + kDigest;
  if (!text.starts_with(magic())) fail(name, "not features of this version");
  if (text.size() < start || sha256_hex(text.substr(start)) != text.substr(magic().size(), kDigest))
    fail(name, "the checksum is wrong");
  const SafeTensors content = parse_safetensors(file.part(start, text.size() - start), name);
  const at::Tensor* global = content.tensors.find("global");
  const at::Tensor* tokens = content.tensors.find("tokens");
  const auto metadata = content.metadata.find("features");
  if (!global || !tokens || metadata == content.metadata.end()) fail(name, "not features");
  StoredFeatures stored;
  try {
    const Json values = parse_json(metadata->second, name);
    Features& features = stored.features;
    features.global = *global;
    features.tokens = *tokens;
    features.rows = values.at("rows").get<int>();
    features.cols = values.at("cols").get<int>();
    features.original_from_grid.m = values.at("original_from_grid").get<std::array<double, 6>>();
    features.image_width = values.at("image_width").get<int>();
    features.image_height = values.at("image_height").get<int>();
    features.rotation_deg = values.value("rotation_deg", 0.0);
    if (const at::Tensor* selectable = content.tensors.find("selectable")) features.selectable = *selectable;
    features.backbone = values.at("backbone").get<std::string>();
    features.key = values.at("key").get<std::string>();
    stored.compute_ms = values.at("compute_ms").get<double>();
  } catch (const Json::exception& error) {
    fail(name, error.what());
  }
  const Features& features = stored.features;
  if (features.global.dim() != 1 || features.tokens.dim() != 2 || features.rows < 0 || features.cols < 0 ||
      features.tokens.size(0) != std::int64_t{features.rows} * features.cols ||
      (features.selectable.defined() && (features.selectable.scalar_type() != at::kBool ||
                                         features.selectable.numel() != features.tokens.size(0))))
    fail(name, "the grid does not fit the tokens");
  return stored;
}

}  // namespace imatch
