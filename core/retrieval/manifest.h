// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "retrieval/data_key.h"

namespace imatch {

/// Which files of one kind of vectors are written.
struct OutputFiles {
  bool npy = false;
  bool json = false;
  static constexpr auto fields =
      std::tuple{field("npy", &OutputFiles::npy, anything(), "The vectors, as numpy.save writes them."),
                 field("json", &OutputFiles::json, anything(), "What they are, beside them.")};
};

/// One image of a manifest.
struct ManifestImage {
  std::string path;
  const Capture* capture = nullptr;  ///< In the data key.
  std::int64_t frame = 0;
  std::string frame_text;
};

/// One entry of `models`, resolved.
struct ManifestModel {
  std::vector<WeightEntry> weights;
  int target_res = 0;
  std::string embedding_cfg;  ///< "res<target_res>" where the manifest has null.
  OutputFiles global, patch, grid;
  bool test_embedding = true;
  bool generate_denseft = false;
  std::vector<ManifestImage> images;  ///< Those that are there.
  std::vector<std::string> missing;   ///< Paths of those that are not.
};

/// manifest.json, resolved against a data key.
struct Manifest {
  std::string path;
  std::string dataset_key;
  std::string dataset_type;           ///< "query" or "reference" by the root it names, else "dataset".
  std::string embed_root;             ///< "" when it names none.
  std::vector<std::string> variants;  ///< "raw", "sub2" ...
  std::vector<ManifestModel> models;
};

/// Resolves aliases, folders and indices; images are looked for below `dataset_root`/<root of the data set>.
/// Throws Failure: not_found, unreadable; bad_format naming the file and the key: an unknown key, data set,
/// alias or folder, indices that are not [first, last] or a list of integers >= 0.
Manifest read_manifest(const std::string& path, const DataKey& key, const std::string& dataset_root);

}  // namespace imatch
