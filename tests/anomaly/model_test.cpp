// SPDX-License-Identifier: Apache-2.0
#include "anomaly/model.h"

#include <ATen/ops/equal.h>

#include <filesystem>

#include "anomaly/training_stage.h"
#include "anomaly/upstream.h"
#include "base/error.h"
#include "base/file.h"
#include "catch.h"
#include "io/json_file.h"
#include "io/safetensors.h"
#include "scratch.h"

namespace imatch {
namespace {

using testing::Scratch;

AnomalyModel made_up_model() {
  AnomalyModel model;
  model.config.pattern_name = "screw";
  model.config.backbone = "efficientnet_lite0 stages=8,16";
  model.config.method = patchcore_method("patchcore");
  model.bank = testing::made_up_bank();
  model.norm_stats = {.max_score = 3,
                      .mean_score = 2,
                      .std_score = 0.5,
                      .max_pixel = 4,
                      .mean_pixel = 1.25,
                      .num_samples = 7};
  model.thresholds = {.image = 2.5,
                      .pixel = 3.5,
                      .rule = "quantile",
                      .taken_from = "held-out normal images",
                      .num_images = 3};
  Image picture(20, 10);
  for (std::size_t i = 0; i < picture.rgb.size(); ++i) picture.rgb[i] = static_cast<std::uint8_t>(i * 7);
  model.region = region_of(picture, {3, 2, 8, 5}, 0.6);
  model.config.region_threshold = 0.6;
  return model;
}

TEST_CASE("a model comes back from its folder as it was") {
  const Scratch scratch;
  const std::string folder = scratch / "screw";
  const AnomalyModel model = made_up_model();
  save_anomaly_model(folder, model);
  const AnomalyModel again = load_anomaly_model(folder);
  CHECK(options_to_json(again.config) == options_to_json(model.config));
  CHECK(at::equal(again.bank, model.bank));
  CHECK(again.norm_stats.text() == model.norm_stats.text());
  CHECK(again.thresholds.to_json() == model.thresholds.to_json());
  REQUIRE(again.region.has_value());
  CHECK(again.region->template_image.rgb == model.region->template_image.rgb);
  CHECK(again.region->threshold == 0.6);
}

TEST_CASE("a model from before an option was added has its default") {
  const Scratch scratch;
  const std::string folder = scratch / "screw", path = folder + "/checkpoint.ckpt";
  save_anomaly_model(folder, made_up_model());
  SafeTensors checkpoint = read_safetensors(path);
  Json config = parse_json(checkpoint.metadata["config"], "config");
  REQUIRE(config["method"]["crop"] == "centre");
  config["method"].erase("crop");
  checkpoint.metadata["config"] = json_text(config, -1);
  write_safetensors(path, checkpoint);
  CHECK_THROWS_WITH(load_anomaly_model(folder), Catch::Contains("config.yaml"));
  write_file_atomically(folder + "/config.yaml", yaml_text(config));
  CHECK(load_anomaly_model(folder).config.method.crop == "none");
}

TEST_CASE("norm_stats.txt has the lines that the inspection program reads") {
  CHECK(
      made_up_model().norm_stats.text() ==
      "max_score=3.000000\nmean_score=2.000000\nstd_score=0.500000\nmax_pixel=4.000000\nmean_pixel=1.250000\n"
      "num_samples=7\n");
  CHECK_THROWS_WITH(NormStats::parse("max_score=1\n", "n.txt"), Catch::Contains("mean_score"));
  CHECK_THROWS_WITH(NormStats::parse("max_score=one\n", "n.txt"), Catch::Contains("no number"));
  NormStatsSum sum;
  sum.add(1, 5, 2);
  sum.add(3, 4, 1);
  const NormStats stats = sum.stats();
  CHECK(stats.mean_score == 2);
  CHECK(stats.std_score == 1);
  CHECK(stats.max_pixel == 5);
  CHECK(stats.mean_pixel == 1.5);
  CHECK(stats.num_samples == 2);
}

TEST_CASE("a model folder with a missing or altered file is told") {
  const Scratch scratch;
  const std::string folder = scratch / "screw";
  for (const char* file : {"checkpoint.ckpt", "config.yaml", "norm_stats.txt", "thresholds.json"}) {
    save_anomaly_model(folder, made_up_model());
    std::filesystem::remove(folder + "/" + file);
    INFO(file);
    CHECK_THROWS_WITH(load_anomaly_model(folder), Catch::Contains(file));
    save_anomaly_model(folder, made_up_model());
    std::string bytes = read_file(folder + "/" + file);
    bytes.resize(bytes.size() / 2);
    write_file_atomically(folder + "/" + file, bytes);
    CHECK_THROWS_AS(load_anomaly_model(folder), Failure);
  }
  save_anomaly_model(folder, made_up_model());
  write_json(folder + "/thresholds.json", {{"image", 9}, {"pixel", 8}});  // by hand
  CHECK(load_anomaly_model(folder).thresholds.image == 9);
}

TEST_CASE("a finished stage is found again under its key only") {
  const Scratch scratch;
  const TrainingStages stages(scratch / "training", "key");
  CHECK_FALSE(stages.read("bank").has_value());
  stages.write("bank", {testing::made_up_bank(), {{"seen", 5}}});
  stages.write("scores", {{}, {{"train", {1, 2}}}});
  REQUIRE(stages.read("bank").has_value());
  CHECK(at::equal(stages.read("bank")->rows, testing::made_up_bank()));
  CHECK(stages.read("bank")->notes["seen"] == 5);
  CHECK_FALSE(stages.read("scores")->rows.defined());
  CHECK_FALSE(TrainingStages(scratch / "training", "other").read("bank").has_value());
  write_file_atomically(scratch / "training/bank.f32", "half");
  CHECK_FALSE(stages.read("bank").has_value());
}

}  // namespace
}  // namespace imatch
