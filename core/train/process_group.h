// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace imatch {

/// Processes that train together, as torchrun starts them. All call the same functions in the same order.
///
/// Sums go through c10d's TCPStore: the wheels of LibTorch have no headers of Gloo and NCCL, which c10d's
/// collective operations cannot be compiled without.
class ProcessGroup {
 public:
  /// A group of one.
  ProcessGroup();
  /// The group that RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT name; of one where there is no WORLD_SIZE.
  /// Throws Error for variables that are missing or no numbers, c10's errors where nobody answers.
  static ProcessGroup of_environment();
  ~ProcessGroup();
  ProcessGroup(ProcessGroup&&) noexcept;
  ProcessGroup& operator=(ProcessGroup&&) noexcept;

  int rank() const { return rank_; }
  int size() const { return size_; }

  /// Replaces each tensor, of one type, by the sum of what the processes have, added in the order of their
  /// ranks: all get the same bits.
  void sum(const std::vector<at::Tensor>& tensors);
  bool any(bool here);

 private:
  at::Tensor summed(const at::Tensor& flat);
  void send(const std::string& key, const at::Tensor& part);
  void receive(const std::string& key, at::Tensor& part);
  void forget(const std::string& key, const at::Tensor& part);
  std::string key(std::int64_t round, const char* what, int from, int to) const;

  struct Store;
  std::unique_ptr<Store> store_;
  int rank_ = 0, size_ = 1;
  std::int64_t round_ = 0;
  at::Tensor last_;  ///< This process's part of the round before, which others may still have been reading.
};

}  // namespace imatch
