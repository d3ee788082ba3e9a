// SPDX-License-Identifier: Apache-2.0
#include "train/process_group.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/full.h>
#include <fmt/format.h>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <cstring>

#include "base/error.h"

namespace imatch {
namespace {

constexpr std::int64_t kMostBytes = std::int64_t{4} << 20;  // of a message; the store takes 8 MiB
constexpr std::chrono::hours kPatience{2};                  // for a step of the slowest process

std::string text_of(const char* name) {
  const char* const value = std::getenv(name);
  return value ? value : "";
}

int number_of(const char* name, int low, int high) {
  const std::string text = text_of(name);
  int number = -1;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size() || number < low || number > high)
    throw Error(
        fmt::format("train: {} is '{}'; processes that train together, as torchrun starts them, need a "
                    "number in [{}, {}] there",
                    name, text, low, high));
  return number;
}

}  // namespace

struct ProcessGroup::Store {
  c10::intrusive_ptr<c10d::TCPStore> store;
  std::string prefix;
};

ProcessGroup::ProcessGroup() = default;
ProcessGroup::~ProcessGroup() = default;
ProcessGroup::ProcessGroup(ProcessGroup&&) noexcept = default;
ProcessGroup& ProcessGroup::operator=(ProcessGroup&&) noexcept = default;

ProcessGroup ProcessGroup::of_environment() {
  ProcessGroup group;
  if (text_of("WORLD_SIZE").empty()) return group;
  group.size_ = number_of("WORLD_SIZE", 1, 65536);
  if (group.size_ == 1) return group;
  group.rank_ = number_of("RANK", 0, group.size_ - 1);
  const std::string host = text_of("MASTER_ADDR");
  if (host.empty()) throw Error("train: MASTER_ADDR is not set; torchrun sets it");
  c10d::TCPStoreOptions options;
  options.port = static_cast<std::uint16_t>(number_of("MASTER_PORT", 1, 65535));
  options.isServer = group.rank_ == 0 && text_of("TORCHELASTIC_USE_AGENT_STORE") != "True";
  options.waitWorkers = false;
  options.timeout = kPatience;
  group.store_ = std::make_unique<Store>(Store{
      c10::make_intrusive<c10d::TCPStore>(host, options),
      fmt::format("imatch/{}/{}", text_of("TORCHELASTIC_RUN_ID"), text_of("TORCHELASTIC_RESTART_COUNT"))});
  return group;
}

std::string ProcessGroup::key(std::int64_t round, const char* what, int from, int to) const {
  return fmt::format("{}/{}/{}/{}/{}", store_->prefix, round, what, from, to);
}

void ProcessGroup::send(const std::string& key, const at::Tensor& part) {
  const auto* from = static_cast<const std::uint8_t*>(part.const_data_ptr());
  const auto bytes = static_cast<std::int64_t>(part.nbytes());
  for (std::int64_t at = 0; at < bytes; at += kMostBytes)
    store_->store->set(fmt::format("{}/{}", key, at),
                       std::vector<std::uint8_t>(from + at, from + std::min(at + kMostBytes, bytes)));
}

void ProcessGroup::receive(const std::string& key, at::Tensor& part) {
  auto* to = static_cast<std::uint8_t*>(part.mutable_data_ptr());
  const auto bytes = static_cast<std::int64_t>(part.nbytes());
  for (std::int64_t at = 0; at < bytes; at += kMostBytes) {
    const std::vector<std::uint8_t> found = store_->store->get(fmt::format("{}/{}", key, at));
    if (static_cast<std::int64_t>(found.size()) != std::min(kMostBytes, bytes - at))
      throw Error("train: another process sums other tensors than this one");
    std::memcpy(to + at, found.data(), found.size());
  }
}

void ProcessGroup::forget(const std::string& key, const at::Tensor& part) {
  for (std::int64_t at = 0; at < static_cast<std::int64_t>(part.nbytes()); at += kMostBytes)
    store_->store->deleteKey(fmt::format("{}/{}", key, at));
}

/// Each process adds up one part and gives it to the others.
at::Tensor ProcessGroup::summed(const at::Tensor& flat) {
  const std::int64_t round = round_++;
  const auto part = [&](const at::Tensor& whole, int rank) {
    const std::int64_t first = whole.numel() * rank / size_, end = whole.numel() * (rank + 1) / size_;
    return whole.narrow(0, first, end - first);
  };
  for (int to = 0; to < size_; ++to)
    if (to != rank_) send(key(round, "part", rank_, to), part(flat, to));
  at::Tensor mine;
  for (int from = 0; from < size_; ++from) {
    at::Tensor theirs = part(flat, rank_);
    if (from != rank_) {
      theirs = at::empty_like(theirs);
      receive(key(round, "part", from, rank_), theirs);
      forget(key(round, "part", from, rank_), theirs);
    }
    mine = mine.defined() ? mine + theirs : theirs.clone();
  }
  // All parts of this round are here, so that nobody reads the sums of the round before any more.
  if (last_.defined()) forget(key(round - 1, "sum", rank_, 0), last_);
  send(key(round, "sum", rank_, 0), mine);
  last_ = mine;
  at::Tensor result = at::empty_like(flat);
  for (int from = 0; from < size_; ++from) {
    at::Tensor place = part(result, from);
    if (from == rank_)
      place.copy_(mine);
    else
      receive(key(round, "sum", from, 0), place);
  }
  return result;
}

void ProcessGroup::sum(const std::vector<at::Tensor>& tensors) {
  if (size_ == 1 || tensors.empty()) return;
  std::vector<at::Tensor> flat;
  for (const at::Tensor& tensor : tensors) flat.push_back(tensor.detach().to(at::kCPU).reshape({-1}));
  const at::Tensor result = summed(at::cat(flat));
  std::int64_t first = 0;
  for (const at::Tensor& tensor : tensors) {
    tensor.detach().copy_(result.narrow(0, first, tensor.numel()).view(tensor.sizes()));
    first += tensor.numel();
  }
}

bool ProcessGroup::any(bool here) {
  if (size_ == 1) return here;
  const at::Tensor count = at::full({1}, here ? 1.0 : 0.0, at::kDouble);
  sum({count});
  return count.item<double>() > 0;
}

}  // namespace imatch
