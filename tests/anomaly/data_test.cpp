// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>

#include "anomaly/region.h"
#include "anomaly/training_data.h"
#include "anomaly/view.h"
#include "base/error.h"
#include "base/file.h"
#include "catch.h"
#include "scratch.h"

namespace imatch {
namespace {

using testing::Scratch;

TEST_CASE("the layouts of data folders are told apart") {
  const Scratch scratch;
  const auto touch = [&](const std::string& name) { write_file_atomically(scratch / name, "picture"); };
  touch("flat/b.PNG");
  touch("flat/a.jpg");
  touch("flat/notes.txt");
  const AnomalyData flat = list_anomaly_data(scratch / "flat");
  CHECK(flat.layout == "flat");
  REQUIRE(flat.train.size() == 2);
  CHECK(flat.train[0].path == scratch / "flat" + "/a.jpg");

  touch("good/good/a.png");
  touch("good/other.png");
  CHECK(list_anomaly_data(scratch / "good").train.size() == 1);

  touch("mvtec/train/good/000.png");
  touch("mvtec/test/good/000.png");
  touch("mvtec/test/scratch/000.png");
  touch("mvtec/test/scratch/001.png");
  touch("mvtec/ground_truth/scratch/000_mask.png");
  const AnomalyData mvtec = list_anomaly_data(scratch / "mvtec");
  CHECK(mvtec.layout == "mvtec");
  REQUIRE(mvtec.test.size() == 3);
  CHECK_FALSE(mvtec.test[0].anomalous());
  CHECK(mvtec.test[1].kind == "scratch");
  CHECK(mvtec.test[1].mask == scratch / "mvtec" + "/ground_truth/scratch/000_mask.png");
  CHECK(mvtec.test[2].mask.empty());

  touch("own/ok/1.png");
  touch("own/bad/2.jpg");
  touch("own/masks/2.png");
  const AnomalyData own =
      list_anomaly_data(scratch / "own", {.normal_dir = "ok", .abnormal_dir = "bad", .mask_dir = "masks"});
  CHECK(own.layout == "folder");
  REQUIRE(own.test.size() == 1);
  CHECK(own.test[0].kind == "defect");
  CHECK(own.test[0].mask == scratch / "own" + "/masks/2.png");

  make_folder(scratch / "empty");
  CHECK_THROWS_WITH(list_anomaly_data(scratch / "empty"), Catch::Contains("no normal picture"));
  CHECK_THROWS_AS(list_anomaly_data(scratch / "nowhere"), Failure);
}

TEST_CASE("views cover a picture and overlap by at least what is asked") {
  CHECK(views_of(300, 200, 0, 0.25).size() == 1);
  CHECK(views_of(200, 200, 256, 0.25).size() == 1);
  const std::vector<PixelRect> views = views_of(1000, 300, 256, 0.25);
  CHECK(views.size() == 10);
  CHECK(views.front().x == 0);
  CHECK(views.back().x == 744);
  CHECK(views.back().y == 44);
  for (std::size_t i = 1; i < 5; ++i) CHECK(views[i].x - views[i - 1].x <= 192);
}

TEST_CASE("the centre of a picture is what a crop behind resizing the shorter side would leave") {
  const PixelRect square = centre_of({0, 0, 512, 256}, 224, 224, 224.0 / 256);
  CHECK(square.x == 144);
  CHECK(square.y == 16);
  CHECK(square.width == 224);
  CHECK(square.height == 224);
  const PixelRect wide = centre_of({10, 20, 400, 400}, 100, 200, 0.5);
  CHECK(wide.x == 110);
  CHECK(wide.y == 170);
  CHECK(wide.width == 200);
  CHECK(wide.height == 100);
}

TEST_CASE("stitched maps are themselves where they do not overlap and their mean where they do") {
  const std::vector<PixelRect> views{{0, 0, 4, 2}, {2, 0, 4, 2}};
  const std::vector<at::Tensor> maps{at::full({1, 1, 1, 2}, 1.F), at::full({1, 1, 1, 2}, 3.F)};
  const at::Tensor map = stitched(maps, views, 6, 2);
  CHECK(map[0][0].item<float>() == 1);
  CHECK(map[1][3].item<float>() == 2);
  CHECK(map[0][5].item<float>() == 3);
}

TEST_CASE("a network input is resized exactly and normalised") {
  Image image(4, 2);
  for (std::size_t i = 0; i < image.rgb.size(); ++i) image.rgb[i] = static_cast<std::uint8_t>(10 * i);
  const at::Tensor same = network_input(image, 2, 4, normalization("none"));
  CHECK(same[2][1][3].item<float>() == Approx(230 / 255.0));
  // Halved, a pixel is the triangle-weighted mean over its surroundings: weights 1 3 3 (1 beyond the border).
  const at::Tensor half = network_input(image, 2, 2, normalization("none"));
  CHECK(half[0][0][0].item<float>() == Approx((3 * 0 + 3 * 30 + 1 * 60) / 7.0 / 255).epsilon(1e-5));
}

TEST_CASE("a region is found again where it moved, and missed where it is not") {
  Image image(60, 40);
  std::uint32_t state = 7;
  for (std::uint8_t& sample : image.rgb)
    sample = static_cast<std::uint8_t>((state = state * 1664525 + 1013904223) >> 24);
  const InspectedRegion region = region_of(image, {10, 5, 16, 12}, 0.5);
  const Image moved = cropped(image, {4, 3, 50, 30});
  const auto match = find_region(moved, region.template_image);
  REQUIRE(match.has_value());
  CHECK(match->rect.x == 6);
  CHECK(match->rect.y == 2);
  CHECK(match->correlation == Approx(1).margin(1e-3));
  const auto elsewhere = find_region(cropped(image, {30, 10, 30, 30}), region.template_image);
  REQUIRE(elsewhere.has_value());
  CHECK(elsewhere->correlation < 0.5);
  CHECK_FALSE(find_region(cropped(image, {0, 0, 10, 10}), region.template_image).has_value());
  CHECK(find_region(Image(60, 40), region.template_image)->correlation < 0.5);  // no contrast
  CHECK_THROWS_WITH(region_of(image, {50, 5, 16, 12}, 0.5), Catch::Contains("50 5 16 12"));
}

}  // namespace
}  // namespace imatch
