// SPDX-License-Identifier: Apache-2.0
//
// inspect MODEL.xml PICTURE.ppm: label, score, mean of the 0 ... 100 map and blobs of a picture (binary PPM, 8 bits).
#include <imatch/anomaly.h>

#include <cstdio>
#include <exception>
#include <fstream>
#include <stdexcept>
#include <string>

namespace {

struct Picture {
  int width = 0, height = 0;
  std::vector<std::uint8_t> rgb;
};

Picture read_ppm(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string magic;
  int most = 0;
  Picture picture;
  if (!(file >> magic >> picture.width >> picture.height >> most) || magic != "P6" || most != 255)
    throw std::runtime_error(path + ": not a binary PPM with 8 bits");
  file.get();
  picture.rgb.resize(static_cast<std::size_t>(picture.width) * static_cast<std::size_t>(picture.height) * 3);
  if (!file.read(reinterpret_cast<char*>(picture.rgb.data()), static_cast<std::streamsize>(picture.rgb.size())))
    throw std::runtime_error(path + ": truncated");
  return picture;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: inspect MODEL.xml PICTURE.ppm\n");
    return 2;
  }
  try {
    const std::string xml = argv[1];
    const imatch::Inspector inspector(xml);
    const Picture picture = read_ppm(argv[2]);
    const imatch::Inspection found = inspector.inspect_rgb(picture.rgb.data(), picture.width, picture.height,
                                                           static_cast<std::size_t>(picture.width) * 3);
    const std::string folder = xml.substr(0, xml.rfind('/') + 1);
    const auto thresholds = imatch::AnomalyThresholds::from_json(folder + "thresholds.json");
    const auto range = imatch::MapRange::from_norm_stats(folder + "norm_stats.txt");
    const imatch::AnomalyMap scaled = imatch::scaled_map(found.map, range, picture.width, picture.height);
    const std::vector<imatch::Blob> blobs = imatch::blobs_of(scaled, {});
    std::printf("%s\n", imatch::is_anomalous(found, thresholds) ? "anomalous" : "normal");
    std::printf("score %.9g\nmean %.6f\nblobs %zu\n", static_cast<double>(found.score), imatch::mean_of_map(scaled),
                blobs.size());
    return 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "inspect: %s\n", e.what());
    return 1;
  }
}
