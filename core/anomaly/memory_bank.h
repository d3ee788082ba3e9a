// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <string>

#include "anomaly/method.h"
#include "index/neighbours.h"

namespace imatch {

/// Rows rounded to float16, as exported files hold them. Throws Error for a value beyond its range.
at::Tensor as_exported(const at::Tensor& rows);

/// How anomalous patches and images are: distances, never rescaled. Larger is more anomalous.
struct PatchScores {
  at::Tensor patches;  ///< [N, 1, h, w] float32 on the CPU.
  at::Tensor images;   ///< [N] float32 on the CPU.
};

/// The patches of normal images that were kept, and how far others are from them. Neighbours are found by the
/// matrix form of the distance; what they score is the direct difference, which does not cancel near zero.
/// Immutable; calls may come from several threads.
class MemoryBank {
 public:
  /// `rows` [M, D], M >= 1. `search`: "exact" (LibTorch, on `device`) or "faiss" (a flat FAISS index); both
  /// give the same neighbours. Throws Error for rows that are not finite.
  MemoryBank(const at::Tensor& rows, const PatchCoreMethod& method, const std::string& search = "exact",
             const std::string& device = "cpu");

  const at::Tensor& rows() const { return rows_; }

  /// Scores of patch_features [N, D, h, w]. Throws Error when D differs from the bank's.
  PatchScores score(const at::Tensor& features) const;

 private:
  double reweighted(const at::Tensor& patch, std::int64_t nearest, double distance) const;

  at::Tensor rows_;
  PatchCoreMethod method_;
  std::function<Neighbours(const at::Tensor& queries, std::int64_t k)> search_;
};

}  // namespace imatch
