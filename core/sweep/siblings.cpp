// SPDX-License-Identifier: Apache-2.0
#include "sweep/siblings.h"

#include <filesystem>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "io/json_file.h"
#include "sweep/canonical.h"
#include "sweep/cell_files.h"

namespace imatch {
namespace {

namespace fs = std::filesystem;

std::string without_choice(Json identity) {
  if (identity.is_object()) identity.erase("chosen");
  return canonical_json(identity);
}

Json identity_in(const std::string& folder) {
  std::error_code ignored;
  if (!fs::is_regular_file(folder + "/plan.json", ignored)) return nullptr;
  try {
    const Json provenance = json_or_null(read_file(folder + "/provenance.json"));
    return provenance.is_object() ? provenance.value("identity", Json(nullptr)) : Json(nullptr);
  } catch (const Failure&) {  // one that is being made, or was damaged
    return nullptr;
  }
}

void link_or_copy(const std::string& from, const std::string& to) {
  std::error_code error;
  fs::create_hard_link(from, to, error);
  if (!error || error == std::errc::file_exists) return;
  write_file_atomically(to, read_file(from), false);
}

}  // namespace

std::vector<std::string> siblings_of(const std::string& path, const Json& identity) {
  const std::string parent = fs::path(path).parent_path().string();
  const std::string wanted = without_choice(identity);
  std::vector<std::string> siblings;
  for (const std::string& name : names_in(parent)) {
    const std::string folder = parent + "/" + name;
    if (folder == path) continue;
    const Json other = identity_in(folder);
    if (other.is_object() && without_choice(other) == wanted) siblings.push_back(folder);
  }
  return siblings;
}

void take_over(const std::vector<FinishedElsewhere>& cells, const std::string& path) {
  std::set<std::string> workers;
  for (const auto& [cell, key, from, worker] : cells) {
    const std::string provenance = "/workers/" + worker + ".json";
    try {
      if (worker == file_name_from(worker) && workers.insert(from + provenance).second)
        write_if_changed(path + provenance, read_file(from + provenance));
    } catch (const Failure& failure) {
      if (failure.code() != code::kNotFound) throw;  // the cell is as good without
    }
    const std::string pictures = "/pictures/" + key + "/";
    const std::vector<std::string> names = names_in(from + pictures);
    if (!names.empty()) make_folder(path + pictures);
    for (const std::string& name : names) link_or_copy(from + pictures + name, path + pictures + name);
    // Last: with its record the cell is finished here.
    link_or_copy(from + "/cells/" + key + ".json", path + "/cells/" + key + ".json");
  }
}

}  // namespace imatch
