// SPDX-License-Identifier: Apache-2.0
#include "sweep/claim.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>

#include "base/error.h"
#include "base/file.h"

namespace imatch {
namespace {

std::string name_of(const std::string& cell_path, int generation) {
  const std::string stem = cell_path.substr(0, cell_path.rfind('.'));
  return generation == 0 ? stem + ".claim" : fmt::format("{}.claim.{}", stem, generation);
}

bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

int newest_generation(const std::string& cell_path, int from) {
  while (exists(name_of(cell_path, from + 1))) ++from;
  return from;
}

bool create(const std::string& path, const Worker& worker) {
  if (::link(worker.alive_file().c_str(), path.c_str()) == 0) return true;
  if (errno == EEXIST) return false;
  return create_file_exclusively(path, read_file(worker.alive_file()));
}

enum class Owner { kAlive, kDead, kGone };

Owner owner_of(const std::string& path, const Worker& worker) {
  try {
    const std::string identity = read_file(path);
    // Without links a claim is empty for an instant; one that stays so was left by a process killed just
    // then.
    if (identity.empty() && std::abs(worker.age_s(path)) < Worker::kStaleSeconds) return Owner::kAlive;
    return worker.is_alive(identity) ? Owner::kAlive : Owner::kDead;
  } catch (const Failure& failure) {
    if (failure.code() == code::kNotFound) return Owner::kGone;
    throw;
  }
}

}  // namespace

std::optional<Claim> Claim::take(const std::string& cell_path, const Worker& worker) {
  if (create(name_of(cell_path, 0), worker)) {
    if (!exists(name_of(cell_path, 1))) return Claim(cell_path, 0);
    // The lower generations of a claim that is being given back go first; its owner still holds the highest.
    ::unlink(name_of(cell_path, 0).c_str());
  }
  const int newest = newest_generation(cell_path, 0);
  if (owner_of(name_of(cell_path, newest), worker) != Owner::kDead) return std::nullopt;
  if (!create(name_of(cell_path, newest + 1), worker)) return std::nullopt;
  return Claim(cell_path, newest + 1);
}

Claim::~Claim() {
  if (cell_path_.empty() || !still_held()) return;
  for (int generation = 0; generation <= generation_; ++generation)
    ::unlink(name_of(cell_path_, generation).c_str());
}

bool Claim::still_held() const {
  return !exists(name_of(cell_path_, generation_ + 1));
}

}  // namespace imatch
