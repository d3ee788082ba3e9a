// SPDX-License-Identifier: Apache-2.0
#include "feature/cache.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>

#include <csignal>
#include <filesystem>
#include <random>
#include <thread>
#include "catch.h"

#include "base/error.h"
#include "base/file.h"
#include "base/sha256.h"
#include "feature/cache_folder.h"
#include "feature/feature_file.h"
#include "scratch.h"

namespace imatch {
namespace {

namespace fs = std::filesystem;
using testing::Scratch;

std::string key_of(int i) {
  return feature_key({.image_digest = std::to_string(i), .backbone = "test"});
}

/// Features whose values tell the key they belong to; about 4 * tokens * 16 bytes.
std::shared_ptr<const Features> features_of(int i, int tokens = 64) {
  Features features;
  features.global = at::full({8}, static_cast<double>(i));
  features.tokens = at::full({tokens, 16}, i + 0.5);
  features.rows = 1;
  features.cols = tokens;
  features.original_from_grid.m = {16, 0.1, -1.0 / 3, 0, 16, 1e-17};
  features.image_width = 640;
  features.image_height = 480;
  features.backbone = "test size=\"3\"";
  features.key = key_of(i);
  return std::make_shared<const Features>(std::move(features));
}

bool is_right(const Features& features, int i) {
  const Features expected = *features_of(i, features.cols);
  return features.key == expected.key && at::equal(features.global, expected.global) &&
         at::equal(features.tokens, expected.tokens) &&
         features.original_from_grid.m == expected.original_from_grid.m && features.image_width == 640 &&
         features.image_height == 480 && features.rows == 1 && features.backbone == expected.backbone;
}

double folder_bytes(const std::string& folder) {
  double sum = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) sum += static_cast<double>(entry.file_size());
  return sum;
}

TEST_CASE("the key depends on every part, and the parts do not run together") {
  const FeatureKey parts{"image", "backbone", "weights", "cpu"};
  const std::string key = feature_key(parts);
  CHECK(key.size() == 64);
  CHECK(key == feature_key(parts));
  for (std::string_view FeatureKey::*part :
       {&FeatureKey::image_digest, &FeatureKey::backbone, &FeatureKey::weights_sha256, &FeatureKey::more}) {
    FeatureKey other = parts;
    other.*part = "x";
    CHECK(feature_key(other) != key);
  }
  CHECK(feature_key({.image_digest = "ab", .backbone = "c"}) !=
        feature_key({.image_digest = "a", .backbone = "bc"}));
}

TEST_CASE("features come back from memory, and in another process from disk") {
  Scratch scratch;
  const CacheOptions options{.folder = scratch / "cache"};
  FeatureCache cache(options);
  CHECK_FALSE(cache.get(key_of(1)));
  const auto features = features_of(1);
  cache.put(key_of(1), features, 250);
  CHECK(cache.get(key_of(1)) == features);

  FeatureCache other(options);
  const auto back = other.get(key_of(1));
  REQUIRE(back);
  CHECK(is_right(*back, 1));
  CHECK(other.get(key_of(1)) == back);

  CHECK(cache.statistics().misses == 1);
  CHECK(cache.statistics().memory_hits == 1);
  CHECK(cache.statistics().saved_ms == 250);
  CHECK(cache.statistics().stored == 1);
  CHECK(other.statistics().disk_hits == 1);
  CHECK(other.statistics().memory_hits == 1);
  CHECK(other.statistics().bytes_read == cache.statistics().bytes_written);
  CHECK(other.statistics().saved_ms == Approx(500 - other.statistics().read_ms));
  CHECK(other.statistics().problem.empty());
  CHECK(other.clear() == 1);
  CHECK_FALSE(FeatureCache(options).get(key_of(1)));
  CHECK_FALSE(other.get(key_of(1)));
  CHECK_THROWS_WITH(cache.get("../x"), "feature cache: key '../x': expected 64 hexadecimal digits");
}

TEST_CASE("features keep their dtype, also where the grid is empty") {
  Features features = *features_of(3);
  features.tokens = at::full({0, 16}, 1.0, at::kBFloat16);
  features.rows = features.cols = 0;
  const StoredFeatures stored = parse_features(own_bytes(feature_bytes(features, 1.5)), "f");
  CHECK(stored.features.tokens.scalar_type() == at::kBFloat16);
  CHECK(stored.features.tokens.sizes().vec() == std::vector<std::int64_t>{0, 16});
  CHECK(stored.compute_ms == 1.5);
}

TEST_CASE("a damaged entry is dropped, counted and can be made again") {
  Scratch scratch;
  const CacheOptions options{.folder = scratch.path(), .memory_mb = 0};
  const std::string path = entry_path(scratch.path(), key_of(1));
  FeatureCache(options).put(key_of(1), features_of(1));
  const std::string whole = read_file(path);
  const auto damaged = [&](const std::string& bytes) {
    write_file_atomically(path, bytes);
    FeatureCache cache(options);
    CHECK_FALSE(cache.get(key_of(1)));
    CHECK(cache.statistics().corrupt == 1);
    CHECK(cache.statistics().misses == 1);
    CHECK(cache.statistics().problem.find(path) != std::string::npos);
    CHECK_FALSE(fs::exists(path));
    cache.put(key_of(1), features_of(1));
    CHECK(is_right(*cache.get(key_of(1)), 1));
  };
  damaged("");
  damaged(whole.substr(0, 40));
  damaged(whole.substr(0, whole.size() - 1));
  damaged(whole + "x");
  for (const std::size_t at :
       {std::size_t{0}, std::size_t{7}, std::size_t{20}, std::size_t{90}, whole.size() - 1}) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 4);
    damaged(bytes);
  }
  damaged(feature_bytes(*features_of(2), 0));  // whole, but another's
}

TEST_CASE("whatever is behind a right checksum, the sizes must go together") {
  Features features = *features_of(1);
  features.cols = 63;
  CHECK_THROWS_WITH(parse_features(own_bytes(feature_bytes(features, 0)), "f"),
                    "f: the grid does not fit the tokens");
  features = *features_of(1);
  features.global = features.tokens;
  CHECK_THROWS_AS(parse_features(own_bytes(feature_bytes(features, 0)), "f"), Failure);
  const std::string body = "no safetensors";
  CHECK_THROWS_AS(parse_features(own_bytes("imfeat01" + sha256_hex(body) + body), "f"), Failure);
}

TEST_CASE("the folder keeps to its size, and what was used least recently goes") {
  Scratch scratch;
  const double entry = static_cast<double>(feature_bytes(*features_of(0), 0).size());
  const CacheOptions options{.folder = scratch.path(), .max_mb = 20.5 * entry / 1e6, .memory_mb = 0};
  FeatureCache cache(options);
  // Times are set by hand: a file system's clock ticks too slowly to order what is written at once.
  const auto used_at = [&](int i, int seconds) {
    const timespec times[2] = {{seconds, 0}, {seconds, 0}};
    REQUIRE(::utimensat(AT_FDCWD, entry_path(scratch.path(), key_of(i)).c_str(), times, 0) == 0);
  };
  for (int i = 0; i < 20; ++i) {
    cache.put(key_of(i), features_of(i));
    used_at(i, 1000 + i);
  }
  CHECK(cache.statistics().removed == 0);
  CHECK(cache.get(key_of(0)));  // now the latest
  for (int i = 20; i < 23; ++i) cache.put(key_of(i), features_of(i));
  CHECK(cache.statistics().removed > 0);
  CHECK(folder_bytes(scratch.path()) <= options.max_mb * 1e6 * (1 + 1.0 / 16) + entry);
  CHECK(cache.get(key_of(0)));
  CHECK(cache.get(key_of(22)));
  CHECK_FALSE(cache.get(key_of(1)));
  CHECK_FALSE(cache.get(key_of(2)));
  // One that is larger than all is not even written.
  cache.put(key_of(100), features_of(100, 64 * 30));
  CHECK_FALSE(fs::exists(entry_path(scratch.path(), key_of(100))));
}

TEST_CASE("a scan removes what was left half-written long ago, and leaves other files alone") {
  Scratch scratch;
  const std::string folder = scratch.path() + "/ab";
  const std::string abandoned = folder + "/.x.features.123.0.tmp", fresh = folder + "/.y.features.124.0.tmp";
  const std::string foreign = folder + "/notes.txt", outside = scratch / "thesis.features";
  for (const std::string& path : {abandoned, fresh, foreign, outside}) write_file_atomically(path, "x");
  const timespec long_ago[2] = {{1000, 0}, {1000, 0}};
  ::utimensat(AT_FDCWD, abandoned.c_str(), long_ago, 0);
  FeatureCache cache({.folder = scratch.path()});
  cache.put(key_of(1), features_of(1));
  CHECK_FALSE(fs::exists(abandoned));
  CHECK(cache.clear() == 1);
  for (const std::string& path : {fresh, foreign, outside}) CHECK(fs::exists(path));
}

TEST_CASE("memory keeps to its size") {
  Scratch scratch;
  const double entry = static_cast<double>(features_of(0)->bytes());
  FeatureCache cache({.folder = scratch.path(), .max_mb = 0, .memory_mb = 3.5 * entry / 1e6});
  for (int i = 0; i < 3; ++i) cache.put(key_of(i), features_of(i));
  CHECK(cache.get(key_of(0)));
  cache.put(key_of(3), features_of(3));
  CHECK_FALSE(cache.get(key_of(1)));
  CHECK(cache.get(key_of(0)));
  CHECK(cache.get(key_of(3)));
  cache.put(key_of(4), features_of(4, 1000));
  CHECK_FALSE(cache.get(key_of(4)));
  CHECK(cache.get(key_of(0)));
  CHECK(fs::is_empty(scratch.path()));
}

TEST_CASE("for one job alone, only what memory drops is written, and once") {
  Scratch scratch;
  const double entry = static_cast<double>(features_of(0)->bytes());
  FeatureCache cache({.folder = scratch.path(), .memory_mb = 2.5 * entry / 1e6, .write_when_dropped = true});
  cache.put(key_of(0), features_of(0), 7);
  cache.put(key_of(1), features_of(1));
  CHECK(fs::is_empty(scratch.path()));
  cache.put(key_of(2), features_of(2));
  CHECK(fs::exists(entry_path(scratch.path(), key_of(0))));
  CHECK_FALSE(fs::exists(entry_path(scratch.path(), key_of(1))));
  REQUIRE(is_right(*cache.get(key_of(0)), 0));  // and 1 goes
  for (const int i : {1, 2, 0, 1}) CHECK(is_right(*cache.get(key_of(i)), i));
  CHECK(cache.statistics().stored == 3);
  CHECK(cache.statistics().misses == 0);
  cache.put(key_of(4), features_of(4, 1000));  // larger than memory
  CHECK(is_right(*cache.get(key_of(4)), 4));
}

TEST_CASE("switched off, nothing is kept") {
  Scratch scratch;
  FeatureCache cache({.folder = scratch.path(), .enabled = false});
  cache.put(key_of(1), features_of(1));
  CHECK_FALSE(cache.get(key_of(1)));
  CHECK(fs::is_empty(scratch.path()));
}

TEST_CASE("a folder that cannot be written does not fail the caller") {
  Scratch scratch;
  write_file_atomically(scratch / "file", "x");
  FeatureCache cache(
      {.folder = scratch / "file"});  // a file in the folder's place: also root cannot write below it
  CHECK_FALSE(cache.get(key_of(1)));
  cache.put(key_of(1), features_of(1));
  cache.put(key_of(2), features_of(2));
  CHECK(cache.get(key_of(1)));                   // from memory
  CHECK(cache.statistics().failed_writes == 1);  // the second was not even tried
  CHECK(cache.statistics().stored == 0);
  CHECK(cache.statistics().problem.find("file") != std::string::npos);
  cache.configure({.folder = scratch / "good"});
  cache.put(key_of(2), features_of(2));
  CHECK(cache.statistics().stored == 1);
}

TEST_CASE("a full disk does not fail the caller") {
  Scratch scratch;
  // RLIMIT_FSIZE makes every write beyond it fail, as a full disk does, in a child of this process.
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1000, 1000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    FeatureCache cache({.folder = scratch.path()});
    cache.put(key_of(1), features_of(1));
    const bool ok =
        cache.get(key_of(1)) && cache.statistics().failed_writes == 1 && folder_bytes(scratch.path()) == 0;
    ::_exit(ok ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  CHECK(status == 0);
}

/// Puts and gets a few keys in a wild order; true when every hit was right.
bool exercise(FeatureCache& cache, unsigned seed, int rounds) {
  std::mt19937 random(seed);
  for (int round = 0; round < rounds; ++round) {
    const int i = static_cast<int>(random() % 40);
    if (const auto found = cache.get(key_of(i))) {
      if (!is_right(*found, i)) return false;
    } else {
      cache.put(key_of(i), features_of(i), 1);
    }
  }
  return cache.statistics().corrupt == 0 && cache.statistics().failed_writes == 0;
}

TEST_CASE("processes share a folder, also while entries are removed") {
  Scratch scratch;
  const double entry = static_cast<double>(feature_bytes(*features_of(0), 0).size());
  std::vector<pid_t> children;
  for (unsigned seed = 0; seed < 4; ++seed) {
    const pid_t child = ::fork();
    if (child == 0) {
      FeatureCache cache({.folder = scratch.path(), .max_mb = 16 * entry / 1e6, .memory_mb = 0});
      ::_exit(exercise(cache, seed, 400) && cache.statistics().disk_hits > 0 && cache.statistics().removed > 0
                  ? 0
                  : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = -1;
    ::waitpid(child, &status, 0);
    CHECK(status == 0);
  }
}

TEST_CASE("threads share a cache") {
  Scratch scratch;
  const double entry = static_cast<double>(features_of(0)->bytes());
  FeatureCache cache({.folder = scratch.path(), .memory_mb = 10 * entry / 1e6});
  std::array<bool, 4> right{};
  std::vector<std::thread> threads;
  for (unsigned seed = 0; seed < right.size(); ++seed)
    threads.emplace_back([&, seed] { right[seed] = exercise(cache, seed, 300); });
  for (std::thread& thread : threads) thread.join();
  CHECK(right == std::array<bool, 4>{true, true, true, true});
}

}  // namespace
}  // namespace imatch
