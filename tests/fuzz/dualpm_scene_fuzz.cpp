// SPDX-License-Identifier: Apache-2.0
// The files of one sample as DualPM tells it, parted by bytes 0: its metadata, its camera, its pose (.npz).
#include "raster/dualpm_scene.h"

#include <cmath>

#include "base/file.h"
#include "fuzz/target.h"

using namespace imatch;

namespace {

/// A data set of one sample, 'a', of the mesh 'm'.
class DataSet {
 public:
  DataSet() : root_(std::filesystem::temp_directory_path() / "imatch-fuzz-XXXXXX") {
    if (!::mkdtemp(root_.data())) std::abort();
    for (const char* folder : {"/metadata", "/cameras", "/poses", "/shapes/m"}) make_folder(root_ + folder);
    write("/shapes/m/m_shape.obj", "");
  }
  ~DataSet() { std::filesystem::remove_all(root_); }
  DataSet(const DataSet&) = delete;
  DataSet& operator=(const DataSet&) = delete;
  const std::string& root() const { return root_; }
  void write(const std::string& name, std::string_view text) const {
    write_file_atomically(root_ + name, text, /*durable=*/false);
  }

 private:
  std::string root_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const DataSet data_set;
  const std::string all = fuzz::text(data, size);
  const std::size_t first = std::min(all.find('\0'), size);
  const std::size_t second = std::min(all.find('\0', first + 1), size);
  data_set.write("/metadata/a_metadata.txt", all.substr(0, first));
  data_set.write("/cameras/a_camera.txt", first < size ? all.substr(first + 1, second - first - 1) : "");
  data_set.write("/poses/a_pose.npz", second < size ? all.substr(second + 1) : "");
  fuzz::attempt([&] {
    const DualPmScene scene = read_dualpm_scene(data_set.root(), "a", 64);
    if (!scene.mesh.starts_with(data_set.root() + "/shapes/")) std::abort();
    for (const double x : {scene.camera.fx, scene.camera.fy, scene.camera.translation.x})
      if (!std::isfinite(x)) std::abort();
    fuzz::touch(scene.poses);
  });
  return 0;
}
