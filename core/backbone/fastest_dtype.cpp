// SPDX-License-Identifier: Apache-2.0
#include "backbone/fastest_dtype.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>

#include "base/error.h"
#include "base/file.h"
#include "base/revision.h"
#include "base/sha256.h"
#include "base/version.h"
#include "feature/cache.h"

namespace imatch {
namespace {

/// Of the time in float32 that another type may take at most.
constexpr double kWorthIt = 0.9;
/// Options that change what becomes of images and tokens, not what a forward pass costs.
constexpr const char* kOfNoCost[] = {"dtype",  "device",        "weights",    "weights_root",
                                     "resize", "interpolation", "arithmetic", "global"};

std::string libtorch_version() {
  for (const NamedVersion& library : library_versions())
    if (library.name == "LibTorch") return library.version;
  return "";
}

Json machine_and_network(const std::string& network, Json options, c10::Device device) {
  for (const char* name : kOfNoCost) options.erase(name);
  const char* const isa = std::getenv("ONEDNN_MAX_CPU_ISA");
  return {{"network", network},
          {"options", std::move(options)},
          {"device", device.str()},
          {"processor", processor_name()},
          {"instructions", processor_features()},
          {"onednn_max_cpu_isa", isa ? isa : ""},
          {"gpus", device.is_cpu() ? std::vector<std::string>() : gpu_names()},
          {"threads", at::get_num_threads()},
          {"libtorch", libtorch_version()},
          {"revision", revision_of("backbone")}};
}

/// What a file says, if it is one of ours; "": measure anew.
std::string kept_choice(const std::string& path, const std::vector<std::string>& candidates) {
  try {
    const Json kept = Json::parse(read_file(path));
    const std::string dtype = kept.at("dtype").get<std::string>();
    if (std::ranges::find(candidates, dtype) != candidates.end()) return dtype;
  } catch (const Failure&) {
  } catch (const Json::exception&) {
  }
  return "";
}

}  // namespace

std::vector<std::string> fastest_candidates(c10::Device device) {
  if (!device.is_cpu()) return {"fp32", "bf16", "fp16"};
  std::vector<std::string> candidates{"fp32"};
  const std::vector<std::string> features = processor_features();
  const auto has = [&](const char* name) { return std::ranges::find(features, name) != features.end(); };
  if (has("avx512bf16")) candidates.emplace_back("bf16");
  if (has("avx512fp16")) candidates.emplace_back("fp16");
  return candidates;
}

std::string fastest_dtype(const std::string& network, const Json& options, c10::Device device,
                          const std::function<double(const std::string& dtype)>& measure) {
  const std::vector<std::string> candidates = fastest_candidates(device);
  if (candidates.size() == 1) return candidates.front();
  const Json subject = machine_and_network(network, options, device);
  const std::string key = sha256_hex(subject.dump());
  static std::mutex mutex;
  static std::map<std::string, std::string> chosen;  // where nothing is kept on disk
  const std::lock_guard lock(mutex);
  const CacheOptions cache = feature_cache().options();
  const std::string path = cache.enabled && cache.max_mb > 0 ? cache.folder + "/dtypes/" + key + ".json" : "";
  std::string best = path.empty() ? chosen[key] : kept_choice(path, candidates);
  if (best.empty()) {
    std::map<std::string, double> ms;
    for (const std::string& dtype : candidates) ms[dtype] = 1000 * measure(dtype);
    best = "fp32";
    for (const std::string& dtype : candidates)
      if (ms[dtype] < ms[best] * (best == "fp32" ? kWorthIt : 1)) best = dtype;
    std::vector<std::string> words;
    for (const auto& [dtype, time] : ms) words.push_back(fmt::format("{} {:.1f} ms", dtype, time));
    fmt::print(stderr, "dtype=fastest: {} for {} on {} ({})\n", best, network, device.str(),
               fmt::join(words, ", "));
    if (!path.empty()) {
      try {
        write_file_atomically(path, Json{{"dtype", best}, {"ms", ms}, {"of", subject}}.dump(1) + "\n", false);
      } catch (const Failure&) {
        // A cache that cannot be written fails nobody: the next process measures again.
      }
    }
  }
  if (path.empty()) chosen[key] = best;
  return best;
}

}  // namespace imatch
