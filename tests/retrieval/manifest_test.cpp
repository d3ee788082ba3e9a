// SPDX-License-Identifier: Apache-2.0
#include "retrieval/manifest.h"

#include <map>
#include <random>
#include "catch.h"

#include "base/error.h"
#include "base/file.h"
#include "scratch.h"

namespace imatch {
namespace {

using testing::Scratch;

constexpr const char* kDataKey = R"({
  "datasets": {
    "photos": { "root": "01_photos", "folder_template": "{capture_id}/{label}", "filename_template": "{label}_{frame:04d}.jpg",
                "images": { "c1": { "label": "L1" }, "c2": "L2", "250918092555_300": 300,
                            "251210182149_600_50_0_045": { "label": "x" } },
                "gt_sigma_m": 1.5, "alt_ref": "agl", "yaw_source": "gimbal" } },
  "weights": { "set": { "01_ViT": { "vits16": ["dinov3_vits16", "a.pth", "LVD"] },
                        "03_SAT": { "vitl16sat": ["dinov3_vitl16", "b.pth", "SAT"] } } } })";

constexpr const char* kManifest = R"({
  "dataset_key": "photos", "weight_set": "set", "reference_embed_root": "/out",
  "experiment": { "variant": { "raw": true, "sub": { "use": true, "stride": [2, 4] } } },
  "models": [ { "weights": ["vitl16sat", "vits16"], "target_res": 1024, "embedding_cfg": null,
                "image_groups": [ { "folder": ["c1", "c2"], "indices": [1, 3] }, { "folder": "c1", "indices": [7, 9, 12] } ],
                "outputs": { "global": { "npy": true, "json": true } },
                "run": { "test_embedding": true, "generate_denseft": false } } ] })";

/// Both files in a folder, with one part of one of them replaced.
struct Files {
  Scratch scratch;
  std::string key = scratch / "key.json", manifest = scratch / "manifest.json";

  Files() {
    write_file_atomically(key, kDataKey);
    write_file_atomically(manifest, kManifest);
  }
  void replace(const std::string& path, const std::string& from, const std::string& to) const {
    std::string text = read_file(path);
    const auto at = text.find(from);
    REQUIRE(at != std::string::npos);
    write_file_atomically(path, text.replace(at, from.size(), to));
  }
  Manifest read() const { return read_manifest(manifest, read_data_key(key), scratch.path()); }
};

TEST_CASE("a manifest is resolved against its data key, a byte order mark and missing images and all") {
  const Files files;
  for (const char* name : {"c1/L1/L1_0002.jpg", "c2/L2/L2_0003.jpg", "c1/L1/L1_0012.jpg"})
    write_file_atomically(files.scratch / ("01_photos/" + std::string(name)), "x");
  files.replace(files.manifest, "{", "\xEF\xBB\xBF{");
  files.replace(files.key, "{", "\xEF\xBB\xBF{");
  const DataKey key = read_data_key(files.key);
  const Manifest m = read_manifest(files.manifest, key, files.scratch.path());
  CHECK(m.dataset_type == "reference");
  CHECK(m.embed_root == "/out");
  CHECK(m.variants == std::vector<std::string>{"raw", "sub2", "sub4"});
  REQUIRE(m.models.size() == 1);
  const ManifestModel& model = m.models[0];
  CHECK(model.embedding_cfg == "res1024");
  CHECK(model.weights[0].hub == "dinov3_vitl16");
  CHECK(model.weights[0].normalization == "SAT");
  CHECK(model.weights[1].folder == "01_ViT");
  CHECK(model.global.npy);
  CHECK_FALSE(model.patch.npy);
  REQUIRE(model.images.size() == 3);
  CHECK(model.images[0].frame_text == "0002");
  CHECK(model.images[1].capture->label == "L2");
  CHECK(model.missing.size() == 6);
  CHECK(model.missing[0] == files.scratch / "01_photos/c1/L1/L1_0001.jpg");

  const Dataset& dataset = key.dataset("photos");
  CHECK(dataset.gt_sigma_m == 1.5);
  CHECK(dataset.find("250918092555_300")->altitude_m == 300);
  CHECK(dataset.find("250918092555_300")->label == "250918092555_300");
  CHECK(dataset.find("251210182149_600_50_0_045")->altitude_m == 600);
  CHECK(dataset.find("251210182149_600_50_0_045")->heading_deg == 45);
  CHECK_FALSE(dataset.find("c1")->altitude_m);
}

TEST_CASE("what is wrong is named with its file and key") {
  struct Case {
    bool in_key;
    const char *from, *to;
    std::vector<std::string> named;
  };
  const Case cases[] = {
      {false, "\"vits16\"", "\"vits61\"", {"key.json: weights.set", "'vits61'", "did you mean 'vits16'"}},
      {false, "\"weight_set\": \"set\"", "\"weight_set\": \"sat\"", {"key.json: weights", "'sat'"}},
      {false, "\"photos\"", "\"fotos\"", {"key.json: datasets", "'fotos'", "photos"}},
      {false, "\"dataset_key\": \"photos\",", "", {"manifest.json", "'dataset_key' is missing"}},
      {false,
       "\"folder\": [\"c1\"",
       "\"folder\": [\"c3\"",
       {"models[1].image_groups[1]", "'c3'", "datasets.photos.images"}},
      {false, "[1, 3]", "[3, 1]", {"models[1].image_groups[1]", "[3, 1] is out of range"}},
      {false, "[1, 3]", "[-1, 3]", {"manifest.json", "indices", "-1"}},
      {false, "[1, 3]", "[0, 99999999999]", {"manifest.json", "out of range"}},
      {false, "[1, 3]", "[]", {"models[1].image_groups[1]", "indices"}},
      {false, "\"target_res\": 1024", "\"target_res\": \"1024\"", {"manifest.json", "target_res"}},
      {false,
       "\"target_res\": 1024",
       "\"target_ers\": 1024",
       {"manifest.json", "'target_ers'", "target_res"}},
      {false,
       "\"raw\": true, \"sub\": { \"use\": true",
       "\"raw\": false, \"sub\": { \"use\": false",
       {"experiment.variant"}},
      {true,
       "{capture_id}/{label}",
       "{capture_id}/{labl}",
       {"key.json: datasets.photos.folder_template", "{labl}"}},
      {true, "_{frame:04d}", "_{frame:04d", {"filename_template", "does not close"}},
      {true, "\"LVD\"", "\"LDV\"", {"weights.set.01_ViT.vits16", "'LDV'"}},
      {true, "\"root\": \"01_photos\",", "", {"datasets.photos", "'root' is missing"}},
      {true, "\"agl\"", "\"ground\"", {"datasets.photos.alt_ref", "'ground'"}},
      {true, "\"c2\": \"L2\"", "\"c2\": [1]", {"datasets.photos.images.c2"}},
      {true, "\"gt_sigma_m\": 1.5", "\"gt_sigma_m\": -1", {"datasets.photos.gt_sigma_m"}},
  };
  for (const Case& c : cases) {
    INFO(c.from << " -> " << c.to);
    const Files files;
    files.replace(c.in_key ? files.key : files.manifest, c.from, c.to);
    try {
      files.read();
      FAIL("nothing was thrown");
    } catch (const Failure& e) {
      INFO(e.what());
      CHECK(e.code() == code::kBadFormat);
      for (const std::string& part : c.named) CHECK(std::string(e.what()).find(part) != std::string::npos);
      CHECK(std::string(e.what()).find('\n') == std::string::npos);
    }
  }
}

TEST_CASE("mutated manifests and data keys fail cleanly or are read") {
  const Files files;
  std::mt19937 random(11);
  int refused = 0;
  for (int turn = 0; turn < 3000; ++turn) {
    const bool in_key = turn % 2 == 0;
    std::string text = in_key ? kDataKey : kManifest;
    for (int change = 0; change < 1 + turn % 3; ++change) {
      const std::size_t at = random() % text.size();
      switch (random() % 4) {
        case 0:
          text[at] = static_cast<char>(random() % 256);
          break;
        case 1:
          text.erase(at, random() % 12);
          break;
        case 2:
          text.insert(at, std::string(1, "{}[]\",:0-e"[random() % 10]));
          break;
        default:
          text.resize(at);
      }
      if (text.empty()) break;
    }
    write_file_atomically(in_key ? files.key : files.manifest, text, false);
    try {
      files.read();
    } catch (const Failure& e) {
      CHECK(std::string(e.what()).find(".json") != std::string::npos);
      ++refused;
    }
    write_file_atomically(in_key ? files.key : files.manifest, in_key ? kDataKey : kManifest, false);
  }
  CHECK(refused > 1000);
}

}  // namespace
}  // namespace imatch
