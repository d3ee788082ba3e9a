// SPDX-License-Identifier: Apache-2.0
#include "retrieval/vector_files.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/stack.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <limits>

#include "base/error.h"
#include "base/file.h"
#include "base/progress.h"
#include "index/vectors.h"
#include "io/json_file.h"
#include "io/npy.h"

namespace imatch {
namespace {

struct OneVector {
  at::Tensor vector;
  std::string meta, image, problem;
  VectorOrigin origin;
  double embed_ms = std::numeric_limits<double>::quiet_NaN();
};

std::string text_in(const Json& object, std::initializer_list<const char*> path) {
  const Json* at = &object;
  for (const char* key : path) {
    if (!at->is_object() || !at->contains(key)) return "";
    at = &(*at)[key];
  }
  return at->is_string() ? at->get<std::string>() : "";
}

void read_meta(const std::string& path, OneVector& one) {
  const std::string meta = path.substr(0, path.size() - std::min<std::size_t>(path.size(), 4)) + "_meta.json";
  std::error_code ignored;
  if (!std::filesystem::exists(meta, ignored)) return;
  try {
    const Json json = read_json(meta);
    one.meta = meta;
    one.image = text_in(json, {"image"});
    if (one.image.empty()) one.image = text_in(json, {"config", "reference", "source_file"});
    one.origin = vector_origin(json);
    if (json.is_object() && json.contains("timing_ms") && json["timing_ms"].is_object()) {
      const Json& time = json["timing_ms"];
      for (const char* key : {"pipeline_total", "global_forward"})
        if (time.contains(key) && time[key].is_number()) {
          one.embed_ms = time[key].get<double>();
          break;
        }
    }
  } catch (const Error&) {  // a damaged meta file says nothing; the vector is what counts
  }
}

OneVector read_one(const std::string& path) {
  OneVector one;
  try {
    at::Tensor vector = read_npy(path);
    if (vector.dim() == 2 && vector.size(0) == 1) vector = vector[0];
    if (vector.dim() != 1)
      throw Error(fmt::format("{}: expected one vector, got {} dimensions", path, vector.dim()));
    one.vector = vector;
    read_meta(path, one);
  } catch (const Error& e) {
    one.problem = e.what();
  }
  return one;
}

void normalize(OneVector& one, const std::string& path) {
  if (!one.problem.empty()) return;
  try {
    one.vector = unit_rows(one.vector, path)[0];
  } catch (const Error& e) {
    one.problem = e.what();
  }
}

double milliseconds(std::chrono::steady_clock::duration time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

}  // namespace

std::string vector_stem(const VectorName& n) {
  return fmt::format("{}/{}/{}_{}_{}_{}_{}_{}_{}", n.label, n.kind, n.kind, n.embedding_cfg, n.variant, n.hub,
                     n.normalization, n.label, n.frame);
}

std::optional<std::string> global_variant(const std::string& file_name, const std::string& kind) {
  if (!file_name.ends_with(".npy")) return std::nullopt;
  const bool is_other_name = kind == "GlobalToken" && (file_name.starts_with("ReferenceGlobal") ||
                                                       file_name.starts_with("QueryGlobal"));
  if (!file_name.starts_with(kind + "_") && !is_other_name) return std::nullopt;
  if (file_name.find("_raw_") != std::string::npos) return "raw";
  for (auto at = file_name.find("_sub"); at != std::string::npos; at = file_name.find("_sub", at + 1)) {
    auto end = at + 4;
    while (end < file_name.size() && file_name[end] >= '0' && file_name[end] <= '9') ++end;
    if (end > at + 4 && end < file_name.size() && file_name[end] == '_')
      return file_name.substr(at + 1, end - at - 1);
  }
  return "raw";
}

void write_vector_files(const std::string& stem, const Features& features, const std::string& kind, Json meta,
                        bool with_npy, bool with_json) {
  at::Tensor values;
  const char* entry = nullptr;
  if (kind.starts_with("Global")) {
    values = features.global;
    entry = "vector";
  } else if (kind == "PatchToken") {
    values = features.tokens;
    entry = "patch_tokens";
  } else if (kind == "PatchGrid") {
    values = features.tokens.view({features.rows, features.cols, features.tokens.size(1)});
    entry = "patch_grid";
  } else {
    throw Error(fmt::format(
        "vector files: kind '{}' is not known; known are GlobalToken, PatchToken and PatchGrid", kind));
  }
  if (with_npy) {
    const std::string bytes = npy_bytes(values);
    write_file_atomically(stem + ".npy", bytes, false);
    meta["files"][entry] = {{"path", stem + ".npy"}, {"size_bytes", bytes.size()}};
  }
  if (with_json) write_file_atomically(stem + "_meta.json", json_text(meta) + "\n", false);
}

VectorSet read_vectors(const std::vector<std::string>& paths, double find_ms) {
  const auto start = std::chrono::steady_clock::now();
  const auto n = static_cast<std::int64_t>(paths.size());
  std::vector<OneVector> all(paths.size());
  Progress progress("read", "vectors", paths.size());
  at::parallel_for(0, n, 64, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      all[i] = read_one(paths[i]);
      progress.advance();
    }
  });
  const auto loaded = std::chrono::steady_clock::now();
  at::parallel_for(0, n, 256, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) normalize(all[i], paths[i]);
  });
  VectorSet set;
  std::vector<at::Tensor> rows;
  for (std::int64_t i = 0; i < n; ++i) {
    OneVector& one = all[i];
    if (one.problem.empty() && !rows.empty() && one.vector.size(0) != rows.front().size(0))
      one.problem = fmt::format("{}: {} dimensions, {} has {}", paths[i], one.vector.size(0),
                                set.paths.front(), rows.front().size(0));
    if (one.problem.empty()) {
      try {
        require_same_source(one.origin.source, set.source, paths[i]);
      } catch (const Error& e) {
        one.problem = e.what();
      }
    }
    if (!one.problem.empty()) {
      set.skipped.push_back({paths[i], one.problem});
      continue;
    }
    for (auto member : {&VectorSource::backbone, &VectorSource::weights_sha256, &VectorSource::global})
      if ((set.source.*member).empty()) set.source.*member = one.origin.source.*member;
    set.origins.add(one.origin);
    rows.push_back(one.vector);
    set.paths.push_back(paths[i]);
    set.metas.push_back(one.meta);
    set.images.push_back(one.image);
    set.embed_ms.push_back(one.embed_ms);
  }
  set.vectors = rows.empty() ? at::empty({0, 0}) : at::stack(rows);
  set.times = {find_ms, milliseconds(loaded - start),
               milliseconds(std::chrono::steady_clock::now() - loaded)};
  return set;
}

std::vector<std::string> differences_between(const VectorSet& queries, const VectorSet& base) {
  try {
    require_same_source(queries.source, base.source, "search");
  } catch (const Error& e) {
    throw Failure(code::kBadFormat, e.what());
  }
  VectorOrigins origins = queries.origins;
  origins.add(base.origins);
  return origins.differences();
}

}  // namespace imatch
