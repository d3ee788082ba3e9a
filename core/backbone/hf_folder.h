// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/options.h"
#include "io/state_dict.h"

namespace imatch {

/// A model as Hugging Face's save_pretrained writes it.
struct HfFolder {
  Json config;        ///< config.json, an object.
  StateDict tensors;  ///< Views of the mapped files.
  /// SHA-256 of the lines "<digest>  <name>" that `sha256sum` prints for config.json and the files of
  /// tensors, sorted by name.
  std::string sha256;
};

inline constexpr const char* kHfPreprocessorFile = "preprocessor_config.json";

/// Reads config.json and model.safetensors, or pytorch_model.bin, or the files that the index.json of either
/// names. `with_preprocessor`: the digest covers that file too, where it is there. Throws Failure: not_found
/// for a missing file; bad_format for an index that is none, names a file outside of the folder or a tensor
/// that is not in its file; as read_json and read_safetensors.
HfFolder read_hf_folder(const std::string& folder, bool with_preprocessor = false);

/// An entry of a folder's configuration; `missing` when it is absent, as the class of the configuration has
/// it by default. Throws Failure (bad_format) for a value of another type.
double config_number(const Json& config, const std::string& key, double missing);
bool config_flag(const Json& config, const std::string& key, bool missing);
std::string config_text(const Json& config, const std::string& key, const std::string& missing);

}  // namespace imatch
