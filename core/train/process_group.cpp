// SPDX-License-Identifier: Apache-2.0
#include "train/process_group.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/_foreach_copy.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/full.h>
#include <fmt/format.h>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <span>
#include <thread>

#include "base/error.h"
#include "base/stop.h"

namespace imatch {
namespace {

constexpr std::int64_t kMostBytes = std::int64_t{4} << 20;  // of a message; the store takes 8 MiB
using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::seconds;

constexpr std::chrono::minutes kPatienceToMeet{10};
constexpr std::chrono::hours kPatience{2};  // for a step of the slowest process
constexpr Seconds kPatienceToStop{60};      // until the others have heard of it too, at the end of a step
constexpr Seconds kPatienceAtTheEnd{10};
constexpr std::chrono::microseconds kShortestLook{100}, kLongestLook{100'000};

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

/// At least one: that an empty part has come, too, tells that its sender has read the round before.
std::int64_t num_messages(const at::Tensor& part) {
  return std::max<std::int64_t>(1, (static_cast<std::int64_t>(part.nbytes()) + kMostBytes - 1) / kMostBytes);
}

/// The bytes of message `i` of a part that begins at `begin`.
template <class Byte>
std::span<Byte> message(Byte* begin, const at::Tensor& part, std::int64_t i) {
  const auto first = static_cast<std::size_t>(i * kMostBytes);
  return std::span<Byte>(begin, part.nbytes())
      .subspan(first, std::min(static_cast<std::size_t>(kMostBytes), part.nbytes() - first));
}

/// Waits until the store has the name; false after `patience`. Throws Interrupted once a stop was asked for
/// `to_stop` ago. (The store's own wait takes no notice of that, and one that is cut short writes warnings.)
bool wait_for(c10d::TCPStore& store, const std::string& name, Seconds patience, Seconds to_stop) {
  const Clock::time_point began = Clock::now();
  std::optional<Clock::time_point> asked;
  while (!store.check({name})) {
    const Clock::time_point now = Clock::now();
    if (now - began >= patience) return false;
    if (stop_requested() && !asked) asked = now;
    if (asked && now - *asked >= to_stop) check_stop();
    std::this_thread::sleep_for(std::clamp<Clock::duration>((now - began) / 20, kShortestLook, kLongestLook));
  }
  return true;
}

}  // namespace

Rendezvous Rendezvous::of_environment() {
  Rendezvous found;
  if (text_of("WORLD_SIZE").empty()) return found;
  found.size = number_of("WORLD_SIZE", 1, 65536);
  if (found.size == 1) return found;
  found.rank = number_of("RANK", 0, found.size - 1);
  found.host = text_of("MASTER_ADDR");
  if (found.host.empty()) throw Error("train: MASTER_ADDR is not set; torchrun sets it");
  found.port = static_cast<std::uint16_t>(number_of("MASTER_PORT", 1, 65535));
  found.is_host = found.rank == 0 && text_of("TORCHELASTIC_USE_AGENT_STORE") != "True";
  // torchrun's own store outlives a group, whose last sums stay in it: the next one has names of its own.
  static std::atomic<int> count = 0;
  found.prefix = fmt::format("imatch/{}/{}/{}", text_of("TORCHELASTIC_RUN_ID"),
                             text_of("TORCHELASTIC_RESTART_COUNT"), count++);
  return found;
}

struct ProcessGroup::Store {
  c10::intrusive_ptr<c10d::TCPStore> store;
  std::string prefix;
  bool is_here;  ///< In this process.
};

/// The store goes with the process that keeps it, so that this one leaves last.
ProcessGroup::~ProcessGroup() {
  if (!store_) return;
  const auto left = [&](int rank) { return fmt::format("{}/left/{}", store_->prefix, rank); };
  try {
    if (store_->is_here) {
      std::vector<std::string> others;
      for (int rank = 0; rank < size_; ++rank)
        if (rank != rank_) others.push_back(left(rank));
      store_->store->wait(others, kPatienceAtTheEnd);
    } else {
      store_->store->set(left(rank_), std::vector<std::uint8_t>());
    }
  } catch (const std::exception&) {
    // Who is gone, or has an error of its own to tell, is not waited for any longer.
  }
}

ProcessGroup::ProcessGroup(const Rendezvous& rendezvous, c10::Device device,
                           const cuda::AllReduceMaker& on_device)
    : device_(device), rank_(rendezvous.rank), size_(rendezvous.size) {
  if (size_ == 1) return;
  c10d::TCPStoreOptions options;
  options.port = rendezvous.port;
  options.isServer = rendezvous.is_host;
  options.waitWorkers = false;
  options.timeout = kPatienceToMeet;
  store_ = std::make_unique<Store>(Store{c10::make_intrusive<c10d::TCPStore>(rendezvous.host, options),
                                         rendezvous.prefix, rendezvous.is_host});
  const auto here = [&](int rank) { return fmt::format("{}/here/{}", store_->prefix, rank); };
  store_->store->set(here(rank_), std::vector<std::uint8_t>());
  for (int rank = 0; rank < size_; ++rank)
    if (!wait_for(*store_->store, here(rank), kPatienceToMeet, Seconds(0)))
      throw Error(fmt::format("train: process {} of {} has not come", rank, size_));
  if (!on_device) return;
  const std::string id = store_->prefix + "/all_reduce";
  if (rank_ == 0) store_->store->set(id, on_device.new_id());
  on_device_ = on_device.join(store_->store->get(id), rank_, size_, device);
}

std::string ProcessGroup::key(std::int64_t round, const char* what, int from, int to) const {
  return fmt::format("{}/{}/{}/{}/{}", store_->prefix, round, what, from, to);
}

void ProcessGroup::send(const std::string& key, const at::Tensor& part) {
  for (std::int64_t i = 0; i < num_messages(part); ++i) {
    const auto bytes = message(static_cast<const std::uint8_t*>(part.const_data_ptr()), part, i);
    store_->store->set(fmt::format("{}/{}", key, i), std::vector<std::uint8_t>(bytes.begin(), bytes.end()));
  }
}

void ProcessGroup::receive(const std::string& key, at::Tensor& part) {
  for (std::int64_t i = 0; i < num_messages(part); ++i) {
    const auto bytes = message(static_cast<std::uint8_t*>(part.mutable_data_ptr()), part, i);
    const std::string name = fmt::format("{}/{}", key, i);
    if (!wait_for(*store_->store, name, kPatience, kPatienceToStop))
      throw Error("train: another process has not finished a step for hours");
    const std::vector<std::uint8_t> found = store_->store->get(name);
    if (found.size() != bytes.size()) throw Error("train: another process sums other tensors than this one");
    std::copy(found.begin(), found.end(), bytes.begin());
  }
}

void ProcessGroup::forget(const std::string& key, const at::Tensor& part) {
  for (std::int64_t i = 0; i < num_messages(part); ++i)
    store_->store->deleteKey(fmt::format("{}/{}", key, i));
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
  std::vector<at::Tensor> places, flat, sums;
  for (const at::Tensor& tensor : tensors) {
    places.push_back(tensor.detach());
    flat.push_back(places.back().reshape({-1}));
  }
  at::Tensor all = at::cat(flat);
  if (on_device_ && all.device() == device_)
    on_device_->sum(all);
  else
    all = summed(all.cpu()).to(all.device());
  std::int64_t first = 0;
  for (const at::Tensor& place : places) {
    sums.push_back(all.narrow(0, first, place.numel()).view(place.sizes()));
    first += place.numel();
  }
  at::_foreach_copy_(places, sums);
}

bool ProcessGroup::any(bool here) {
  if (size_ == 1) return here;
  const at::Tensor count = at::full({1}, here ? 1.0 : 0.0, at::kDouble);
  sum({count});
  return count.item<double>() > 0;
}

}  // namespace imatch
