// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "sweep/worker.h"

namespace imatch {

/// The right to run one cell, held while the object lives.
///
/// A claim is the file <cell>.claim, made atomically as a hard link to the worker's identity (where links are
/// not to be had, by exclusive creation). When its owner is dead, the next generation <cell>.claim.1 is made
/// in the same way: only one process can win it. The holder of the highest generation owns the cell, and
/// nobody removes the claim of a living one, so no lock is needed. The claims stand beside the cells, because
/// making a file makes an NFS client look at the folder anew.
class Claim {
 public:
  /// The claim on the cell whose record is to be `cell_path`, or nothing while a living worker holds it (or
  /// gives it back just now: ask again). The caller must look again for the record afterwards: the cell may
  /// have been finished meanwhile. Throws Failure (unwritable, no_space).
  static std::optional<Claim> take(const std::string& cell_path, const Worker& worker);

  ~Claim();
  Claim(Claim&& other) noexcept : cell_path_(std::move(other.cell_path_)), generation_(other.generation_) {
    other.cell_path_.clear();
  }
  Claim& operator=(Claim&&) = delete;

  /// How many workers ended, or were taken for dead, while they held this cell.
  int num_dead_owners() const { return generation_; }

  /// False when another worker took this one for dead and claimed the cell anew.
  bool still_held() const;

 private:
  Claim(std::string cell_path, int generation) : cell_path_(std::move(cell_path)), generation_(generation) {}
  std::string cell_path_;
  int generation_;
};

}  // namespace imatch
