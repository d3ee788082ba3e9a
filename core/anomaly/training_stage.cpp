// SPDX-License-Identifier: Apache-2.0
#include "anomaly/training_stage.h"

#include <ATen/ops/from_blob.h>

#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "io/json_file.h"
#include "io/mapped_file.h"
#include "io/tensor_view.h"

namespace imatch {

std::optional<TrainingStages::Stage> TrainingStages::read(const std::string& name) const {
  const std::string path = folder_ + "/" + name;
  if (!std::filesystem::exists(path + ".json")) return std::nullopt;
  try {
    const Json saved = read_json(path + ".json");
    if (saved.value("key", "") != key_) return std::nullopt;
    Stage stage{.rows = {}, .notes = saved.at("notes")};
    if (saved.contains("shape")) {
      const auto shape = saved["shape"].get<std::vector<std::int64_t>>();
      stage.rows = tensor_over(map_file(path + ".f32"), at::kFloat, shape, path + ".f32");
    }
    return stage;
  } catch (const Failure&) {
    return std::nullopt;  // damaged: the stage is done again
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

void TrainingStages::write(const std::string& name, const Stage& stage) const {
  const std::string path = folder_ + "/" + name;
  Json saved{{"key", key_}, {"notes", stage.notes}};
  if (stage.rows.defined()) {
    const at::Tensor rows = stage.rows.contiguous();
    write_file_atomically(path + ".f32", {static_cast<const char*>(rows.const_data_ptr()),
                                          static_cast<std::size_t>(rows.nbytes())});
    saved["shape"] = rows.sizes().vec();
  }
  write_json(path + ".json", saved);
}

void TrainingStages::clear() const {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

}  // namespace imatch
