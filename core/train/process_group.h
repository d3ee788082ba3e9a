// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cuda/all_reduce.h"

namespace imatch {

/// Where processes that work together meet: at a TCPStore of c10d.
struct Rendezvous {
  int rank = 0, size = 1;
  std::string host;
  std::uint16_t port = 0;
  bool is_host = false;  ///< Whether this process keeps the store.
  std::string prefix;    ///< Of the names in it.

  /// As torchrun tells it: RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT; a group of one where there is no
  /// WORLD_SIZE. All processes call it equally often: each time it is another group. Throws Error for
  /// variables that are missing or no numbers.
  static Rendezvous of_environment();
};

/// Processes that train together. All call the same functions in the same order.
///
/// What lies on a GPU is added up by NCCL, and elsewhere through the store: the wheels of LibTorch lack
/// Gloo's headers, which c10d's own operations on the CPU cannot be compiled without.
class ProcessGroup {
 public:
  /// Waits for the others (Error after 10 minutes), and where it keeps the store, until they have left (at
  /// most 10 s) when it ends. Interrupted where a stop is asked for meanwhile, or a minute before the others
  /// answer later. `on_device`, which may be empty, adds up what lies on `device`. Throws c10's errors where
  /// nobody answers.
  ProcessGroup(const Rendezvous& rendezvous, c10::Device device, const cuda::AllReduceMaker& on_device);
  ~ProcessGroup();

  int rank() const { return rank_; }
  int size() const { return size_; }

  /// Replaces each tensor, of one type and on one device, by the sum of what the processes have; on the CPU
  /// added in the order of their ranks, so that all get the same bits.
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
  std::unique_ptr<cuda::AllReduce> on_device_;
  c10::Device device_ = c10::kCPU;
  int rank_ = 0, size_ = 1;
  std::int64_t round_ = 0;
  at::Tensor last_;  ///< This process's part of the round before, which others may still have been reading.
};

}  // namespace imatch
