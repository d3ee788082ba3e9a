// SPDX-License-Identifier: Apache-2.0
//
// Each process of a group is a thread here, with a rendezvous of its own.
#include "train/process_group.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/sum.h>
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <barrier>
#include <thread>

#include "catch.h"

using namespace imatch;

namespace {

std::uint16_t free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  socklen_t length = sizeof address;
  REQUIRE(::bind(socket, reinterpret_cast<sockaddr*>(&address), length) == 0);
  REQUIRE(::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length) == 0);
  ::close(socket);
  return ntohs(address.sin_port);
}

/// What each of `size` processes makes of its group.
std::vector<std::vector<at::Tensor>> in_a_group(
    int size, const cuda::AllReduceMaker& on_device,
    const std::function<std::vector<at::Tensor>(ProcessGroup&)>& work) {
  const std::uint16_t port = free_port();
  std::vector<std::vector<at::Tensor>> results(static_cast<std::size_t>(size));
  std::vector<std::jthread> processes;
  for (int rank = 0; rank < size; ++rank)
    processes.emplace_back([&, rank] {
      ProcessGroup group({rank, size, "127.0.0.1", port, rank == 0, "test"}, c10::kCPU, on_device);
      results[static_cast<std::size_t>(rank)] = work(group);
    });
  processes.clear();
  return results;
}

/// Adds up what all members give, by turns.
struct Meeting {
  explicit Meeting(int size) : all_here(size) {}
  std::barrier<> all_here;
  std::mutex mutex;
  at::Tensor total;
  std::atomic<int> sums{0};
};

class SumInMemory final : public cuda::AllReduce {
 public:
  explicit SumInMemory(std::shared_ptr<Meeting> meeting) : meeting_(std::move(meeting)) {}
  void sum(const at::Tensor& tensor) override {
    ++meeting_->sums;
    {
      const std::lock_guard lock(meeting_->mutex);
      meeting_->total = meeting_->total.defined() ? meeting_->total + tensor : tensor.clone();
    }
    meeting_->all_here.arrive_and_wait();
    tensor.copy_(meeting_->total);
    meeting_->all_here.arrive_and_wait();
    meeting_->total.reset();
    meeting_->all_here.arrive_and_wait();
  }

 private:
  std::shared_ptr<Meeting> meeting_;
};

/// Two gradients of process `rank`, the second one transposed.
std::vector<at::Tensor> gradients_of(int rank) {
  return {at::arange(5, at::kFloat).mul(rank + 1),
          at::arange(12, at::kFloat).view({3, 4}).t().mul(rank + 0.1)};
}

}  // namespace

TEST_CASE("a group sums what its processes have, to the same bits everywhere") {
  const auto results = in_a_group(3, {}, [](ProcessGroup& group) {
    std::vector<at::Tensor> tensors = gradients_of(group.rank());
    for (int round = 0; round < 2; ++round) group.sum(tensors);
    tensors.push_back(at::full({1}, group.any(group.rank() == 2) ? 1 : 0));
    tensors.push_back(at::full({1}, group.any(false) ? 1 : 0));
    return tensors;
  });
  for (int i = 0; i < 2; ++i) {
    at::Tensor expected;
    for (int rank = 0; rank < 3; ++rank) {
      const at::Tensor one = gradients_of(rank)[static_cast<std::size_t>(i)];
      expected = expected.defined() ? expected + one : one;
    }
    CHECK(results[0][static_cast<std::size_t>(i)].equal(expected + expected + expected));
  }
  for (std::size_t rank = 1; rank < 3; ++rank)
    for (std::size_t i = 0; i < results[0].size(); ++i) CHECK(results[rank][i].equal(results[0][i]));
  CHECK(results[0][2].item<int>() == 1);
  CHECK(results[0][3].item<int>() == 0);
}

TEST_CASE("a part of more bytes than a message holds arrives") {
  const std::int64_t count = (std::int64_t{5} << 20) + 3;
  const auto results = in_a_group(2, {}, [count](ProcessGroup& group) {
    std::vector<at::Tensor> tensors{at::arange(count, at::kDouble).add(group.rank())};
    group.sum(tensors);
    return tensors;
  });
  for (const auto& tensors : results) CHECK(tensors[0].equal(at::arange(count, at::kDouble).mul(2).add(1)));
}

TEST_CASE("a process without a part of the sum waits for the others all the same") {
  // The second of two has all of a number; the first one must not go on before the second has read the round
  // before.
  const auto results = in_a_group(2, {}, [](ProcessGroup& group) {
    at::Tensor sums = at::full({40}, 0.0, at::kDouble);
    for (int round = 0; round < 40; ++round) {
      std::vector<at::Tensor> tensors{at::full({round % 3}, group.rank() + round, at::kDouble)};
      group.sum(tensors);
      sums[round].fill_(tensors[0].sum());
      if (group.any(false)) std::abort();
    }
    return std::vector<at::Tensor>{sums};
  });
  for (const auto& tensors : results)
    for (int round = 0; round < 40; ++round)
      CHECK(tensors[0][round].item<double>() == (round % 3) * (2 * round + 1));
}

TEST_CASE("what lies on the device is summed there, by processes that met by the first one's id") {
  const auto meeting = std::make_shared<Meeting>(2);
  const std::vector<std::uint8_t> id{7, 0, 255, 3};
  cuda::AllReduceMaker maker;
  maker.new_id = [&] { return id; };
  maker.join = [&](const std::vector<std::uint8_t>& given, int rank, int size, c10::Device device) {
    if (given != id || rank < 0 || rank > 1 || size != 2 || !device.is_cpu()) std::abort();
    return std::make_unique<SumInMemory>(meeting);
  };
  const auto results = in_a_group(2, maker, [](ProcessGroup& group) {
    std::vector<at::Tensor> tensors = gradients_of(group.rank());
    group.sum(tensors);
    return tensors;
  });
  for (const auto& tensors : results)
    for (std::size_t i = 0; i < tensors.size(); ++i)
      CHECK(tensors[i].equal(gradients_of(0)[i] + gradients_of(1)[i]));
  CHECK(meeting->sums == 2);
}

TEST_CASE("torchrun tells where processes meet, each group by a name of its own") {
  const std::pair<const char*, const char*> told[] = {
      {"WORLD_SIZE", "4"}, {"RANK", "2"}, {"MASTER_ADDR", "10.0.0.7"}, {"MASTER_PORT", "29500"}};
  for (const auto& [name, value] : told) ::setenv(name, value, 1);
  const Rendezvous first = Rendezvous::of_environment(), second = Rendezvous::of_environment();
  ::setenv("MASTER_PORT", "70000", 1);
  CHECK_THROWS_WITH(Rendezvous::of_environment(), Catch::Contains("MASTER_PORT is '70000'"));
  for (const auto& [name, value] : told) ::unsetenv(name);
  CHECK((first.rank == 2 && first.size == 4 && first.host == "10.0.0.7" && first.port == 29500 &&
         !first.is_host));
  CHECK(first.prefix != second.prefix);
  CHECK(Rendezvous::of_environment().size == 1);
}

TEST_CASE("a process alone meets nobody") {
  ProcessGroup group({}, c10::kCPU, {});
  std::vector<at::Tensor> tensors = gradients_of(4);
  group.sum(tensors);
  CHECK(tensors[0].equal(gradients_of(4)[0]));
  CHECK(group.any(true));
  CHECK_FALSE(group.any(false));
}
