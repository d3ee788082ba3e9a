// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <string>
#include <vector>

#include "base/options.h"
#include "feature/features.h"
#include "index/fingerprint.h"
#include "retrieval/skipped_file.h"
#include "retrieval/vector_origins.h"

namespace imatch {

/// What the name of a vector file says:
/// <root>/<dataset_key>/<alias>/<label>/GlobalToken/GlobalToken_<cfg>_<variant>_<hub>_<LVD|SAT>_<label>_<frame>.npy
struct VectorName {
  std::string kind = "GlobalToken";  ///< GlobalToken, PatchToken, PatchGrid, DenseFT; see write_vector_files.
  std::string embedding_cfg;
  std::string variant;  ///< "raw", "sub2".
  std::string hub;
  std::string normalization;
  std::string label;
  std::string frame;
  static constexpr auto fields = std::tuple{
      field("kind", &VectorName::kind, anything(),
            "GlobalToken, PatchToken, PatchGrid or DenseFT; GlobalClass and the like for another global "
            "vector."),
      field("embedding_cfg", &VectorName::embedding_cfg, anything(), "Such as 'res1024'."),
      field("variant", &VectorName::variant, anything(), "'raw' or 'sub<stride>'."),
      field("hub", &VectorName::hub, anything(), "Such as 'dinov3_vits16'."),
      field("normalization", &VectorName::normalization, anything(), "'LVD' or 'SAT'."),
      field("label", &VectorName::label, anything(), "Of the capture."),
      field("frame", &VectorName::frame, anything(), "As it is written in the image's name.")};
};

/// "<label>/GlobalToken/GlobalToken_res1024_raw_dinov3_vits16_LVD_<label>_<frame>" without an ending.
std::string vector_stem(const VectorName& name);

/// The variant in the name of a file of global vectors of a kind; nullopt when it is none. GlobalToken_...,
/// ReferenceGlobal... and QueryGlobal... are all of the kind "GlobalToken".
std::optional<std::string> global_variant(const std::string& file_name,
                                          const std::string& kind = "GlobalToken");

/// Writes one vector file of an image's features, and `meta` beside it as <stem>_meta.json, to which it adds
/// files{<kind>: {path, size_bytes}}. kind: "GlobalToken" [D], "PatchToken" [tokens, D], "PatchGrid" [rows,
/// cols, D]; any other that begins with "Global" is a global vector too, of another making. Not flushed to
/// the disk, which would cost more than a network: they can be made again. Throws Error for another kind,
/// Failure (unwritable, no_space).
void write_vector_files(const std::string& stem, const Features& features, const std::string& kind, Json meta,
                        bool with_npy, bool with_json);

/// How long it took to have the vectors of a set, ms.
struct VectorTimes {
  double find = 0;       ///< Listing the files: known to whoever listed them.
  double load = 0;       ///< Reading them and their meta files.
  double normalize = 0;  ///< Scaling to length one.

  double total() const { return find + load + normalize; }
};

/// Global vectors of many files, one a row, and what their meta files say of the image.
struct VectorSet {
  at::Tensor vectors;               ///< [n, D] float32, each of length one.
  std::vector<std::string> paths;   ///< n
  std::vector<std::string> metas;   ///< n; "" where there is none.
  std::vector<std::string> images;  ///< n; "" where the meta names none.
  std::vector<double> embed_ms;     ///< n; NaN where the meta has no time.
  VectorTimes times;
  VectorSource source;               ///< What the first meta file that knows says; others must agree.
  VectorOrigins origins;             ///< What they say besides.
  std::vector<SkippedFile> skipped;  ///< Truncated, NaN, all zeros, another size or backbone than the first.
};

/// Reads .npy files of shape [D] or [1, D] with their ..._meta.json, by all threads. What cannot be used is
/// skipped by name. `find_ms` goes into the set's times.
VectorSet read_vectors(const std::vector<std::string>& paths, double find_ms = 0);

/// VectorOrigins::differences of both. Throws Failure (bad_format) where their sources differ.
std::vector<std::string> differences_between(const VectorSet& queries, const VectorSet& base);

}  // namespace imatch
