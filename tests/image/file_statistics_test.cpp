// SPDX-License-Identifier: Apache-2.0
#include "image/file_statistics.h"

#include "catch.h"

#include "base/error.h"
#include "base/file.h"
#include "image/encode.h"
#include "pictures.h"
#include "scratch.h"

using namespace imatch;
using namespace imatch::testing;

TEST_CASE("statistics of files are those of their pictures, however they are added") {
  const Scratch scratch;
  std::vector<std::string> paths;
  ChannelStatistics expected;
  std::array<double, 3> means{}, stds{};
  for (int i = 0; i < 11; ++i) {
    const Image image = waves(40 + 7 * i, 30 + i);
    paths.push_back(scratch / (std::to_string(i) + ".png"));
    save_image(image, paths.back());
    ChannelStatistics own;
    own.add(image);
    expected.merge(own);
    for (std::size_t c = 0; c < 3; ++c) means[c] += own.mean()[c] / 11, stds[c] += own.std()[c] / 11;
  }
  FileStatistics at_once, in_parts;
  CHECK(at_once.add(paths, {}).empty());
  for (std::size_t i = paths.size(); i-- > 0;) in_parts.add({&paths[i], 1}, {});
  CHECK(at_once.num_images() == 11);
  CHECK(at_once.pixels().pixels() == expected.pixels());
  CHECK(at_once.pixels().mean() == expected.mean());
  CHECK(at_once.pixels().std() == expected.std());
  CHECK(at_once.mean_of_stds() == in_parts.mean_of_stds());  // bit for bit, whatever the order
  CHECK(at_once.mean_of_means() == in_parts.mean_of_means());
  for (std::size_t c = 0; c < 3; ++c) {
    CHECK(at_once.mean_of_means()[c] == Approx(means[c]));
    CHECK(at_once.mean_of_stds()[c] == Approx(stds[c]));
  }
}

TEST_CASE("a file that cannot be read is told and left out") {
  const Scratch scratch;
  save_image(waves(16, 16), scratch / "a.png");
  write_file_atomically(scratch / "b.png", "no picture");
  FileStatistics statistics;
  const auto failed =
      statistics.add(std::vector{scratch / "b.png", scratch / "a.png", scratch / "c.png"}, {});
  REQUIRE(failed.size() == 2);
  CHECK(failed[0].first == scratch / "b.png");
  CHECK(statistics.num_images() == 1);
  CHECK_THROWS_AS(FileStatistics().mean_of_means(), Error);
}

TEST_CASE("pictures are resized first when that is asked for") {
  const Scratch scratch;
  save_image(waves(64, 48), scratch / "a.png");
  FileStatistics statistics;
  ResizeOptions resize;
  resize.size = 24;
  statistics.add(std::vector{scratch / "a.png"}, resize);
  CHECK(statistics.pixels().pixels() == 32 * 24);
}
