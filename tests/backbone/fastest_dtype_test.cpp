// SPDX-License-Identifier: Apache-2.0
#include "backbone/fastest_dtype.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "backbone/backbone.h"
#include "backbone/pictures.h"
#include "base/file.h"
#include "catch.h"
#include "feature/cache.h"
#include "scratch.h"

using namespace imatch;

namespace {

/// The choice among types that take so many seconds, on a GPU that need not be there; counts what was
/// measured.
struct FakeMachine {
  std::map<std::string, double> seconds;
  int measured = 0;

  std::string choice(const Json& options = {{"image_size", 336}}) {
    return fastest_dtype("net", options, c10::Device(c10::kCUDA, 0), [&](const std::string& dtype) {
      ++measured;
      return seconds.at(dtype);
    });
  }
};

/// Takes the place of the process's cache while it lives.
struct OtherCache {
  explicit OtherCache(const CacheOptions& options) : before(feature_cache().options()) {
    configure_feature_cache(options);
  }
  ~OtherCache() { configure_feature_cache(before); }
  CacheOptions before;
};

std::string only_file_in(const std::string& folder) {
  std::string found;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    CHECK(found.empty());
    found = entry.path().string();
  }
  return found;
}

}  // namespace

TEST_CASE("dtype=fastest measures once a network and shape, and keeps what it found") {
  const testing::Scratch scratch;
  const OtherCache cache({.folder = scratch.path()});
  FakeMachine machine{{{"fp32", 1.0}, {"bf16", 0.6}, {"fp16", 0.5}}};
  CHECK(machine.choice() == "fp16");
  CHECK(machine.measured == 3);
  CHECK(machine.choice() == "fp16");
  CHECK(machine.measured == 3);
  // What does not change the cost of a forward pass shares the choice; what does, does not.
  CHECK(machine.choice({{"image_size", 336}, {"weights", "/elsewhere"}, {"resize", "keep"}}) == "fp16");
  CHECK(machine.measured == 3);
  machine.seconds["bf16"] = 0.4;
  CHECK(machine.choice({{"image_size", 672}}) == "bf16");
  CHECK(machine.measured == 6);
  // Another process finds the file, and measures anew when it is damaged.
  const FeatureCache elsewhere({.folder = scratch.path()});
  CHECK(machine.choice() == "fp16");
  std::filesystem::remove_all(scratch.path() + "/dtypes");
  CHECK(machine.choice() == "bf16");
  write_file_atomically(only_file_in(scratch.path() + "/dtypes"), "{\"dtype\": 3");
  CHECK(machine.choice() == "bf16");
  CHECK(machine.measured == 12);
}

TEST_CASE("dtype=fastest keeps float32 unless another type saves a tenth") {
  const OtherCache cache({.folder = "", .enabled = false});
  FakeMachine machine{{{"fp32", 1.0}, {"bf16", 0.92}, {"fp16", 0.91}}};
  CHECK(machine.choice({{"image_size", 1}}) == "fp32");
  CHECK(machine.choice({{"image_size", 1}}) == "fp32");
  CHECK(machine.measured == 3);  // remembered by the process where nothing is kept on disk
  machine.seconds["bf16"] = 0.89;
  CHECK(machine.choice({{"image_size", 2}}) == "bf16");
}

TEST_CASE("a backbone opened with dtype=fastest says which type it runs in") {
  const testing::Scratch scratch;
  const OtherCache cache({.folder = scratch.path()});
  const auto backbone = open_backbone("efficientnet_lite0", {{"dtype", "fastest"}, {"image_size", 64}});
  const std::vector<std::string> candidates = fastest_candidates(c10::kCPU);
  const bool is_one_of_them = std::ranges::any_of(candidates, [&](const std::string& dtype) {
    return (backbone->spec() + " ").find(" dtype=" + dtype + " ") != std::string::npos;
  });
  CHECK(is_one_of_them);
  CHECK(std::ranges::find(candidates, "int8") == candidates.end());
  CHECK(std::filesystem::exists(scratch.path() + "/dtypes") == (candidates.size() > 1));
  close_backbones();
}
