// SPDX-License-Identifier: Apache-2.0
#include "match/pair_job.h"

#include <ATen/ops/equal.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include "catch.h"

#include "backbone/extract.h"
#include "backbone/pictures.h"
#include "backbone/rotations.h"
#include "base/error.h"
#include "base/file.h"
#include "base/stop.h"
#include "image/decode.h"
#include "image/encode.h"
#include "image/transform.h"
#include "io/npy.h"
#include "match/image_features.h"
#include "match/token_selection.h"
#include "scratch.h"

namespace imatch {
namespace {

namespace fs = std::filesystem;
using testing::Scratch;

/// dense_sift that counts how often it sees each image.
class CountingSift : public Backbone {
 public:
  std::vector<Features> extract(std::span<const Image* const> images) const override {
    for (const Image* image : images) ++seen[image->digest()];
    largest_batch = std::max(largest_batch, images.size());
    return sift_->extract(images);
  }
  std::string spec() const override { return sift_->spec(); }
  std::string weights_sha256() const override { return ""; }
  int stride() const override { return sift_->stride(); }

  bool saw_each_once() const {
    return std::ranges::all_of(seen, [](const auto& entry) { return entry.second == 1; });
  }

  mutable std::map<std::string, int> seen;
  mutable std::size_t largest_batch = 0;

 private:
  std::shared_ptr<const Backbone> sift_ =
      open_backbone("dense_sift", {{"step", 16}, {"image_size", 96}, {"resize", "shorter"}});
};

/// Pictures in a folder, and the job of all their ordered pairs. Nothing is kept in the process's cache.
class PairJobFixture {
 public:
  explicit PairJobFixture(int num_images = 5) {
    CacheOptions no_cache;
    no_cache.enabled = false;
    configure_feature_cache(no_cache);
    for (int i = 0; i < num_images; ++i) {
      job.images.push_back(scratch_ / ("photo_" + std::to_string(i) + ".png"));
      // Landscape, portrait and square, each seen from a place of its own.
      save_image(testing::picture(i % 3 == 1 ? 96 : 144, i % 3 == 2 ? 144 : 120, 7 * i, 3 * i),
                 job.images.back());
    }
    for (int a = 0; a < num_images; ++a)
      for (int b = 0; b < num_images; ++b)
        if (a != b) {
          PairTask task;
          task.a = a;
          task.b = b;
          task.file = scratch_ / ("out/" + std::to_string(a) + "_" + std::to_string(b) + ".json");
          task.settings_key = "one";
          job.pairs.push_back(std::move(task));
        }
    job.weight = "dense_sift";
    job.folder = scratch_ / "out/.features";
  }
  ~PairJobFixture() { configure_feature_cache({}); }

  PairJobResult run(const PairJobEvents& events = {}) const { return run_pairs(sift, job, events); }

  /// The files as text, without the times; by name.
  std::map<std::string, std::string> files() const {
    std::map<std::string, std::string> texts;
    for (const PairTask& pair : job.pairs) {
      PairFile file = read_pair_file(pair.file);
      file.time_ms = {};
      texts[pair.file] = to_json(file).dump();
    }
    return texts;
  }

  PairJobOptions job;
  CountingSift sift;

 private:
  Scratch scratch_;
};

TEST_CASE("every pair's file says what matching its two images gives", "[pair_job]") {
  PairJobFixture fixture;
  fixture.job.meta.image_size = 96;
  fixture.job.match.match_th = 0.2;
  const PairJobResult result = fixture.run();
  CHECK(result.counts.total == 20);
  CHECK(result.counts.run == 20);
  CHECK(result.counts.finished + result.counts.skipped == 0);
  CHECK(result.failed_images.empty());
  CHECK(fixture.sift.seen.size() == 5);
  CHECK(fixture.sift.saw_each_once());
  std::size_t num_matches = 0;
  for (const PairTask& pair : fixture.job.pairs) {
    const PairFile file = read_pair_file(pair.file);
    const std::string &path_a = fixture.job.images[static_cast<std::size_t>(pair.a)],
                      &path_b = fixture.job.images[static_cast<std::size_t>(pair.b)];
    CHECK(file.image_a == path_a);
    CHECK(file.image_b == path_b);
    CHECK(file.meta.image_size == 96);
    CHECK(file.advanced_settings.match_threshold == 0.2);
    CHECK(file.settings_key == "one");
    const Image a = open_image(path_a), b = open_image(path_b);
    const Image* pictures[] = {&a, &b};
    const auto features = extract_features(fixture.sift, pictures);
    const Matches expected = mutual_nearest(*features[0], *features[1], fixture.job.match);
    const Matches found = matches_of(file, {a.width, a.height}, {b.width, b.height});
    CHECK(found.idx_a == expected.idx_a);
    CHECK(found.idx_b == expected.idx_b);
    CHECK(found.similarity == expected.similarity);
    CHECK(found.n_selected_a == expected.n_selected_a);
    CHECK(found.rows_b == expected.rows_b);
    for (std::size_t k = 0; k < found.size(); ++k)
      CHECK(found.points_b[k].x == Approx(expected.points_b[k].x).epsilon(1e-12));
    num_matches += found.size();
  }
  CHECK(num_matches > 200);
}

TEST_CASE("whatever the memory, an image goes forward once and the files are the same", "[pair_job]") {
  PairJobFixture fixture;
  fixture.run();
  const auto expected = fixture.files();
  for (const double memory_mb : {0.0, 0.03, 0.06}) {
    fixture.sift.seen.clear();
    fixture.sift.largest_batch = 0;
    fixture.job.memory_mb = memory_mb;
    fixture.job.batch_size = 2;
    fixture.job.force = true;
    bool wrote = false;
    fixture.run({.on_progress = [&](const PairJobProgress&) { wrote |= fs::exists(fixture.job.folder); }});
    CHECK(wrote);
    CHECK(fixture.files() == expected);
    CHECK(fixture.sift.saw_each_once());
    CHECK(fixture.sift.largest_batch <= 2);
    CHECK_FALSE(fs::exists(fixture.job.folder));
  }
}

TEST_CASE("features beyond the limit of memory lie on the disk", "[pair_job]") {
  const PairJobFixture fixture;
  const std::vector<int> all{0, 1, 2, 3, 4};
  double one_mb = 0;
  {
    ImageFeatures features(fixture.sift, fixture.job.images, {.folder = fixture.job.folder});
    features.load(all);
    one_mb = static_cast<double>(features.of(0)->bytes()) / 1e6;
    CHECK_FALSE(fs::exists(fixture.job.folder));
    CHECK(features.forward_ms(4) > 0);
  }
  ImageFeatures features(fixture.sift, fixture.job.images,
                         {.memory_mb = 2.9 * one_mb, .folder = fixture.job.folder});
  features.load(all);
  CHECK(features.images_in_half() == 1);
  const auto count = [&] {
    std::size_t files = 0;
    for (const auto& entry : fs::recursive_directory_iterator(fixture.job.folder))
      files += entry.is_regular_file();
    return files;
  };
  CHECK(count() >= 2);
  const auto held = features.of(0);
  for (const int image : all) CHECK(features.of(image)->bytes() > 0);
  CHECK(at::equal(features.of(0)->tokens, held->tokens));
  CHECK(features.of(0) != held);  // read again, not kept beyond the limit
  // Somebody empties the folder: what is gone is made again.
  fs::remove_all(fixture.job.folder);
  for (const int image : all) CHECK(features.of(image)->bytes() > 0);
  CHECK_THROWS_AS(ImageFeatures(fixture.sift, {}, {}), Error);
}

TEST_CASE("rotations: the best is kept, and the image itself is one of them", "[pair_job]") {
  PairJobFixture fixture(3);
  Image upside_down = rotate(open_image(fixture.job.images[0]), 180).image;
  save_image(upside_down, fixture.job.images[1]);
  fixture.job.rotations_deg = {0, 90, 180, 270};
  fixture.run();
  const PairFile file = read_pair_file(fixture.job.pairs[0].file);
  REQUIRE(file.rotation_search);
  CHECK(file.rotation_search->rotation_deg == 180);
  CHECK(file.rotation_search->scores.size() == 4);
  CHECK(file.patch.idx_a.size() > 20);
  CHECK(fixture.sift.seen.size() == 4 * 2);  // two of the three pictures are each other's half turn
  const auto plenty = fixture.files();
  fixture.job.memory_mb = 0.05;
  fixture.job.force = true;
  fixture.run();
  CHECK(fixture.files() == plenty);
}

TEST_CASE("what is finished is left alone, what is damaged or of other settings is made again",
          "[pair_job]") {
  PairJobFixture fixture;
  fixture.run();
  CHECK(fixture.run().counts.finished == 20);
  const std::string damaged = fixture.job.pairs[3].file;
  write_file_atomically(damaged, read_file(damaged).substr(0, 100));
  fs::remove(fixture.job.pairs[4].file);
  fixture.job.pairs[5].settings_key = "other";
  const PairJobResult again = fixture.run();
  CHECK(again.counts.run == 3);
  CHECK(again.counts.finished == 17);
  CHECK(read_pair_file(fixture.job.pairs[5].file).settings_key == "other");
  fixture.job.force = true;
  CHECK(fixture.run().counts.run == 20);
}

TEST_CASE("embeddings stand beside the files, and are asked for when they are missing", "[pair_job]") {
  PairJobFixture fixture(2);
  for (PairTask& pair : fixture.job.pairs) pair.embed_folder = pair.file + ".embeds";
  fixture.job.match.keypoint_th = 0.3;
  fixture.job.match.max_features = 30;
  fixture.run();
  const Image a = open_image(fixture.job.images[0]);
  const Image* pictures[] = {&a};
  const auto features = extract_features(fixture.sift, pictures)[0];
  const std::string folder = fixture.job.pairs[0].embed_folder;
  const at::Tensor took_part =
      select_tokens(*features, {.keypoint_th = 0.3, .max_features = 30}, "a").indices;
  REQUIRE(took_part.numel() == 30);
  CHECK(at::equal(read_npy(folder + "/patch_a.npy"), features->tokens.index_select(0, took_part)));
  CHECK(at::equal(read_npy(folder + "/global_a.npy"), features->global));
  CHECK(read_pair_file(fixture.job.pairs[0].file).patch.n_selected_a == 30);
  fs::remove(folder + "/global_b.npy");
  CHECK(fixture.run().counts.run == 1);
  CHECK(fs::exists(folder + "/global_b.npy"));
}

TEST_CASE("another global vector stands under names of its own", "[pair_job]") {
  PairJobFixture fixture(2);
  for (PairTask& pair : fixture.job.pairs) pair.embed_folder = pair.file + ".embeds";
  fixture.run();
  const PairFile expected = read_pair_file(fixture.job.pairs[0].file);
  REQUIRE(expected.cosine);
  CHECK_FALSE(expected.other_global);
  fixture.job.other_global = "gem";
  CHECK(fixture.run().counts.run == 2);  // its vectors are not there yet
  const PairFile other = read_pair_file(fixture.job.pairs[0].file);
  CHECK_FALSE(other.cosine);
  REQUIRE(other.other_global);
  CHECK(other.other_global->global == "gem");
  CHECK(other.other_global->cosine == Approx(*expected.cosine));
  CHECK(fs::exists(fixture.job.pairs[0].embed_folder + "/global_gem_b.npy"));
}

TEST_CASE("an image that cannot be read skips its pairs and no others", "[pair_job]") {
  PairJobFixture fixture;
  write_file_atomically(fixture.job.images[2], "no picture");
  std::vector<PairJobProgress> told;
  std::vector<PairJobGrid> grids;
  const PairJobResult result =
      fixture.run({.on_progress = [&](const auto& counts) { told.push_back(counts); },
                   .on_grid = [&](const auto& grid) { grids.push_back(grid); }});
  CHECK(result.counts.run == 12);
  CHECK(result.counts.skipped == 8);
  REQUIRE(result.failed_images.size() == 1);
  CHECK(result.failed_images[0].file == fixture.job.images[2]);
  CHECK_FALSE(result.failed_images[0].problem.empty());
  REQUIRE(told.size() == 20);
  CHECK(told.back().run == 12);
  CHECK(told[9].run + told[9].skipped == 10);
  CHECK(grids.size() == 2);  // landscape and portrait
  CHECK(grids[0].cols == 6);
  CHECK(grids[1].rows == 6);
}

TEST_CASE("a stop ends the job between two pairs, and the next run goes on", "[pair_job]") {
  PairJobFixture fixture;
  PairJobEvents events;
  events.on_progress = [](const PairJobProgress& counts) {
    if (counts.run == 7) request_stop();
  };
  CHECK_THROWS_AS(fixture.run(events), Interrupted);
  clear_stop();
  CHECK_FALSE(fs::exists(fixture.job.folder));
  const PairJobResult rest = fixture.run();
  CHECK(rest.counts.finished == 7);
  CHECK(rest.counts.run == 13);
}

TEST_CASE("misuse and a place that cannot be written are told apart", "[pair_job]") {
  PairJobFixture fixture(2);
  fixture.job.pairs[0].file = "/dev/null/x.json";
  try {
    fixture.run();
    FAIL("expected a failure");
  } catch (const Failure& failure) {
    CHECK(failure.code() == code::kUnwritable);
  }
  fixture.job.pairs[0].b = 2;
  CHECK_THROWS_WITH(fixture.run(), "pairs: image 2 of 2; expected a 0-based position among the images");
}

}  // namespace
}  // namespace imatch
