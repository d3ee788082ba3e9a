// SPDX-License-Identifier: Apache-2.0
#include "anomaly/train.h"

#include <ATen/ops/equal.h>

#include <cmath>
#include <filesystem>

#include "anomaly/detector.h"
#include "anomaly/export_files.h"
#include "anomaly/watched_folder.h"
#include "base/error.h"
#include "base/file.h"
#include "base/stop.h"
#include "base/threads.h"
#include "catch.h"
#include "image/encode.h"
#include "scratch.h"

namespace imatch {
namespace {

using testing::Scratch;

/// Stripes whose phase, width and brightness vary a little; `defect`: with a bright square.
Image striped(int number, bool defect = false) {
  Image image(160, 130);
  for (int y = 0; y < image.height; ++y)
    for (int x = 0; x < image.width; ++x) {
      const double wave = std::sin((x + 0.2 * y) / (6 + 0.1 * (number % 3)) + number);
      const bool inside = defect && x >= 70 && x < 95 && y >= 50 && y < 75;
      for (int c = 0; c < 3; ++c)
        image.pixel(x, y)[c] = static_cast<std::uint8_t>(
            inside ? 250 - 100 * c : 110 + 5 * c + 50 * wave + 12 * std::sin(y * y / 900.0) + number % 5);
    }
  return image;
}

std::string normal_pictures(const Scratch& scratch, int count) {
  for (int i = 0; i < count; ++i) save_image(striped(i), scratch / ("data/" + std::to_string(i) + ".png"));
  return scratch / "data";
}

AnomalyTrainOptions quick_options() {
  AnomalyTrainOptions options;
  options.pattern_name = "stripes";
  options.coreset_ratio = 0.02;
  options.image_size = {96, 96};
  options.device = "cpu";
  return options;
}

TEST_CASE("what is trained tells a defect from normal pictures, and its files say the same") {
  const Scratch scratch;
  const std::string data = normal_pictures(scratch, 12);
  const AnomalyTraining training = train_anomaly_model(data, scratch / "model", quick_options());
  CHECK(training.model.config.num_images == 11);
  CHECK(training.model.config.num_held_out == 1);
  CHECK(training.model.config.rows_seen == 11 * 12 * 12);
  CHECK(training.model.bank.size(0) == static_cast<std::int64_t>(11 * 144 * 0.02));
  CHECK_FALSE(std::filesystem::exists(scratch / "model/training"));

  const Parity parity = export_anomaly_model(scratch / "model", list_anomaly_data(data), {}, "cpu");
  CHECK(parity.holds);
  CHECK(parity.report["float32"]["largest_relative_difference"].get<double>() < 1e-3);
  CHECK(parity.report["pictures"] == 14);

  for (const char* engine : {"libtorch", "openvino"}) {
    INFO(engine);
    DetectorOptions options;
    options.engine = engine;
    options.device = "cpu";
    const AnomalyDetector detector(scratch / "model", options);
    const Detection normal = detector.detect(striped(20)), defect = detector.detect(striped(20, true));
    CHECK(defect.raw.score > 1.3F * normal.raw.score);
    CHECK(defect.raw.map.size(0) == 96);
    const std::int64_t worst = defect.raw.map.argmax().item<std::int64_t>();
    CHECK(std::abs(static_cast<double>(worst % 96) - 82.5 * 96 / 160) < 12);
    CHECK(std::abs(static_cast<double>(worst / 96) - 62.5 * 96 / 130) < 12);
    CHECK(defect.scaled.width == 160);
    const Image picture = detector.picture(striped(20, true), defect);
    CHECK(picture.width == 160);
  }
  const AnomalyThresholds thresholds = AnomalyThresholds::from_json(scratch / "model/thresholds.json");
  CHECK(thresholds.image == Approx(training.model.thresholds.image));
  CHECK(thresholds.pixel == Approx(training.model.thresholds.pixel));
  CHECK_THROWS_WITH(AnomalyThresholds::from_json(scratch / "model/parity.json"), Catch::Contains("'pixel'"));
  CHECK_THROWS_WITH(AnomalyThresholds::from_json(scratch / "nowhere.json"), Catch::Contains("nowhere.json"));
  const std::string bin = scratch / "model/stripes.bin";
  std::string bytes = read_file(bin);
  bytes[100] ^= 1;
  write_file_atomically(bin, bytes);
  CHECK_THROWS_WITH(AnomalyDetector(scratch / "model"), Catch::Contains("parity.json"));
}

TEST_CASE("training does not depend on threads, FAISS or being killed") {
  const Scratch scratch;
  const std::string data = normal_pictures(scratch, 6);
  const AnomalyTrainOptions options = quick_options();
  const at::Tensor bank = train_anomaly_model(data, scratch / "a", options).model.bank;
  AnomalyTrainOptions by_faiss = options;
  by_faiss.use_faiss = true;
  CHECK(at::equal(train_anomaly_model(data, scratch / "b", by_faiss).model.bank, bank));
  const int threads = num_threads();
  set_num_threads(1);
  CHECK(at::equal(train_anomaly_model(data, scratch / "c", options).model.bank, bank));
  set_num_threads(threads);
  const auto stop_behind_features = [](std::string_view stage, std::int64_t, std::int64_t) {
    if (stage == "coreset") request_stop();
  };
  CHECK_THROWS_AS(train_anomaly_model(data, scratch / "d", options, stop_behind_features), Interrupted);
  clear_stop();
  const AnomalyTraining resumed = train_anomaly_model(data, scratch / "d", options);
  CHECK(resumed.resumed == std::vector<std::string>{"features"});
  CHECK(at::equal(resumed.model.bank, bank));
}

TEST_CASE("a model is extended by pictures that it would have flagged") {
  const Scratch scratch;
  const std::string data = normal_pictures(scratch, 6);
  train_anomaly_model(data, scratch / "model", quick_options());
  for (int i = 0; i < 3; ++i) save_image(striped(i, true), scratch / ("more/" + std::to_string(i) + ".png"));
  DetectorOptions libtorch;
  libtorch.engine = "libtorch";
  libtorch.device = "cpu";
  const float before = AnomalyDetector(scratch / "model", libtorch).detect(striped(9, true)).raw.score;
  AnomalyExtendOptions options;
  options.coreset_ratio = 0.1;
  options.device = "cpu";
  const AnomalyTraining extended = extend_anomaly_model(scratch / "model", scratch / "more", options);
  CHECK(extended.model.config.num_images == 9);
  CHECK(extended.model.norm_stats.num_samples == 9);
  CHECK(AnomalyDetector(scratch / "model", libtorch).detect(striped(9, true)).raw.score < 0.8F * before);
}

TEST_CASE("regions, tiles and a memory budget are part of the model") {
  const Scratch scratch;
  const std::string data = normal_pictures(scratch, 5);
  AnomalyTrainOptions options = quick_options();
  options.roi_rect = {20, 10, 120, 100};
  options.roi_threshold = 0.2;
  options.tile_px = 64;
  options.memory_mb = 0.2;
  const AnomalyTraining training = train_anomaly_model(data, scratch / "model", options);
  CHECK(training.model.config.rows_kept == static_cast<std::int64_t>(0.2e6 / (152 * 4)));
  CHECK(training.model.config.rows_seen > training.model.config.rows_kept);
  DetectorOptions libtorch;
  libtorch.engine = "libtorch";
  libtorch.device = "cpu";
  const AnomalyDetector detector(scratch / "model", libtorch);
  const Detection found = detector.detect(striped(0));
  CHECK(found.raw.found);
  CHECK(found.raw.rect.x == 20);
  CHECK(found.raw.map.size(0) == 100);
  CHECK(found.raw.map.size(1) == 120);
  CHECK_FALSE(detector.detect(Image(200, 200)).raw.found);
}

TEST_CASE("a training that cannot be is an error") {
  const Scratch scratch;
  CHECK_THROWS_WITH(train_anomaly_model(normal_pictures(scratch, 1), scratch / "model", quick_options()),
                    Catch::Contains("expected 2 or more"));
  const std::string data = normal_pictures(scratch, 3);
  AnomalyTrainOptions options = quick_options();
  options.coreset_ratio = 1e-6;
  CHECK_THROWS_WITH(train_anomaly_model(data, scratch / "model", options), Catch::Contains("leaves none"));
  options = quick_options();
  options.backbone = "dense_sift";
  CHECK_THROWS_WITH(train_anomaly_model(data, scratch / "model", options), Catch::Contains("dense_sift"));
  options = quick_options();
  options.layers = {"8", "12"};
  CHECK_THROWS_AS(train_anomaly_model(data, scratch / "model", options), Error);
  options = quick_options();
  options.pattern_name = "../stripes";
  CHECK_THROWS_AS(train_anomaly_model(data, scratch / "model", options), Error);
  CHECK_THROWS_WITH(parse_anomaly_train_options({{"image_size", {1, 2, 3}}}, "train"),
                    Catch::Contains("image_size"));
}

TEST_CASE("a watched folder gives a picture out when it is whole") {
  const Scratch scratch;
  make_folder(scratch / "in");
  WatchedFolder folder(scratch / "in");
  CHECK(folder.look().empty());
  write_file_atomically(scratch / "in/a.png", "half");
  CHECK(folder.look().empty());
  write_file_atomically(scratch / "in/a.png", "half and more");
  CHECK(folder.look().empty());
  CHECK(folder.look() == std::vector<std::string>{scratch / "in/a.png"});
  CHECK(folder.look().empty());
  write_file_atomically(scratch / "in/a.png", "all new again");
  std::filesystem::last_write_time(scratch / "in/a.png",
                                   std::filesystem::file_time_type::clock::now() + std::chrono::seconds(5));
  CHECK(folder.look().empty());
  CHECK(folder.look().size() == 1);
  CHECK(WatchedFolder(scratch / "nowhere").look().empty());
}

}  // namespace
}  // namespace imatch
