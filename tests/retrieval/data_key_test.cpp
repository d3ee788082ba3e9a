// SPDX-License-Identifier: Apache-2.0
#include "retrieval/data_key.h"

#include "catch.h"

#include "base/error.h"
#include "base/file.h"
#include "scratch.h"

namespace imatch {
namespace {

using testing::Scratch;

DataKey key_of(const std::string& text) {
  const Scratch scratch;
  write_file_atomically(scratch / "key.json", text);
  return read_data_key(scratch / "key.json");
}

std::string dataset_with(const std::string& images, const std::string& more = "") {
  return R"({"datasets": {"d": {"root": "r", "folder_template": "{label}", "filename_template": "{frame}.jpg", "images": )" +
         images + more + "}}}";
}

std::string refusal_of(const std::string& text) {
  try {
    key_of(text);
  } catch (const Failure& failure) {
    CHECK(failure.code() == code::kBadFormat);
    return failure.what();
  }
  return "";
}

TEST_CASE("templates of names are filled in") {
  const Capture capture{.id = "c1", .label = "L", .altitude_m = {}, .heading_deg = {}};
  CHECK(NameTemplate("{capture_id}/{label}_{frame:04d}.jpg").fill(capture, 7) == "c1/L_0007.jpg");
  CHECK(NameTemplate("{frame}").fill(capture, 12345) == "12345");
  CHECK(NameTemplate("{frame:02d}").fill(capture, 12345) == "12345");
  CHECK(NameTemplate("plain").fill(capture, 1) == "plain");
  CHECK(NameTemplate("{label}{label}").fill(capture, 1) == "LL");
  CHECK(NameTemplate("a_{frame:06d}.png").frame_text(42) == "000042");
  CHECK(NameTemplate("no frame").frame_text(42) == "42");
  CHECK_THROWS_WITH(NameTemplate("{frame"), Catch::Contains("does not close"));
  for (const char* wrong : {"{}", "{index}", "{frame:4d}", "{frame:00d}", "{frame:04x}", "{ label}"})
    CHECK_THROWS_WITH(NameTemplate(wrong), Catch::Contains("is not known"));
}

TEST_CASE("a capture is told by a label, an altitude, both, or its own name") {
  const DataKey key = key_of(dataset_with(
      R"({"a": "first", "b": 120, "c": {"label": "third", "altitude": 80}, "x_600_50_0_045": {"label": "y"}, "x_600_50_045": "z"})"));
  const Dataset& dataset = key.dataset("d");
  REQUIRE(dataset.captures.size() == 5);
  CHECK((dataset.find("a")->label == "first" && !dataset.find("a")->altitude_m));
  CHECK((dataset.find("b")->label == "b" && dataset.find("b")->altitude_m == 120));
  CHECK((dataset.find("c")->label == "third" && dataset.find("c")->altitude_m == 80));
  CHECK((dataset.find("x_600_50_0_045")->altitude_m == 600 &&
         dataset.find("x_600_50_0_045")->heading_deg == 45));
  CHECK_FALSE(dataset.find("x_600_50_045")->heading_deg);  // four fields are another name
  CHECK(dataset.find("nobody") == nullptr);
}

TEST_CASE("what is not there is named beside what is") {
  const DataKey key =
      key_of(R"({"datasets": {"photos": {"root": "r", "folder_template": "f", "filename_template": "n",
    "images": {}}}, "weights": {"set": {"folder": {"vits16": ["hub", "a.pth", "LVD"], "sat": ["hub2", "b.pth", "SAT"]}}}})");
  CHECK(key.dataset("photos").root == "r");
  const WeightEntry& entry = key.weight("set", "sat");
  CHECK((entry.folder == "folder" && entry.hub == "hub2" && entry.file == "b.pth" &&
         entry.normalization == "SAT"));
  CHECK_THROWS_WITH(key.dataset("photo"), Catch::Contains("did you mean 'photos'"));
  CHECK_THROWS_WITH(key.weight("set", "vits61"), Catch::Contains("vits16"));
  CHECK_THROWS_WITH(key.weight("sets", "sat"), Catch::Contains("set"));
}

TEST_CASE("what is wrong in a data key is named by its place") {
  for (
      const auto& [text, part] : std::vector<std::pair<std::string, std::string>>{
          {"[]", "object"},
          {dataset_with("[]"), "datasets.d.images"},
          {dataset_with("{\"a\": null}"), "datasets.d.images.a"},
          {dataset_with("{\"a\": {\"altitude\": 3}}"), "'label' is missing"},
          {dataset_with("{\"a\": {\"lable\": \"x\"}}"), "did you mean 'label'"},
          {dataset_with("{}", ", \"gt_sigma_m\": -1"), "gt_sigma_m"},
          {dataset_with("{}", ", \"alt_ref\": \"sea\""), "'sea' is not known"},
          {dataset_with("{}", ", \"roof\": 1"), "did you mean 'root'"},
          {R"({"datasets": {"d": {"root": "r", "folder_template": "{x}", "filename_template": "n", "images": {}}}})",
           "datasets.d.folder_template"},
          {R"({"datasets": {}, "weights": {"s": {"f": {"a": ["hub", "file"]}}}})", "weights.s.f.a"},
          {R"({"datasets": {}, "weights": {"s": {"f": {"a": ["hub", "file", "lvd"]}}}})",
           "'lvd' is not known"},
      }) {
    INFO(text);
    const std::string message = refusal_of(text);
    INFO(message);
    CHECK(message.find(part) != std::string::npos);
    CHECK(message.find("key.json") != std::string::npos);
  }
}

}  // namespace
}  // namespace imatch
