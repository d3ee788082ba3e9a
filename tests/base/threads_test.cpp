// SPDX-License-Identifier: Apache-2.0
#include "base/threads.h"

#include <ATen/Parallel.h>
#include <sched.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>
#include "catch.h"

#include "base/cpu_quota.h"
#include "base/error.h"
#include "scratch.h"

namespace imatch {
namespace {

void write(const std::string& path, const std::string& text) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path) << text;
}

int governed = 0;

TEST_CASE("a thread number reaches LibTorch and every governed library") {
  const int before = num_threads();
  govern_threads([](int n) { governed = n; });
  CHECK(governed == before);
  for (const int n : {3, 1}) {
    set_num_threads(n);
    CHECK(num_threads() == n);
    CHECK(governed == n);
    CHECK(at::get_num_threads() == n);
    std::atomic<int> most{0};
    at::parallel_for(0, 100000, 1, [&](std::int64_t, std::int64_t) {
      int now = at::get_thread_num() + 1, seen = most;
      while (now > seen && !most.compare_exchange_weak(seen, now)) {
      }
    });
    CHECK(most == n);
  }
  set_num_threads(before);
}

TEST_CASE("a thread number below one is refused") {
  CHECK_THROWS_WITH(set_num_threads(0), "threads: 0 is not allowed; expected an integer >= 1");
  CHECK_THROWS_AS(set_num_threads(-1), Error);
}

TEST_CASE("the affinity of the process bounds the default") {
  int available = 0;
  // Affinity belongs to a thread: the test's own is left as it was.
  std::thread([&] {
    cpu_set_t set;
    REQUIRE(::sched_getaffinity(0, sizeof set, &set) == 0);
    int first = 0;
    while (!CPU_ISSET(first, &set)) ++first;
    CPU_ZERO(&set);
    CPU_SET(first, &set);
    REQUIRE(::sched_setaffinity(0, sizeof set, &set) == 0);
    available = available_threads();
  }).join();
  CHECK(available == 1);
  CHECK(available_threads() >= 1);
}

TEST_CASE("control groups, version 2: the smallest quota up to the top counts") {
  const testing::Scratch root;
  CHECK_FALSE(cpu_quota("0::/a/b\n", root.path()));
  write(root / "a/b/cpu.max", "max 100000\n");
  CHECK_FALSE(cpu_quota("0::/a/b\n", root.path()));
  write(root / "a/cpu.max", "150000 100000\n");
  CHECK(cpu_quota("0::/a/b\n", root.path()) == 1.5);
  write(root / "a/b/cpu.max", "50000 100000\n");
  CHECK(cpu_quota("0::/a/b\n", root.path()) == 0.5);
  write(root / "cpu.max", "25000 100000\n");
  CHECK(cpu_quota("0::/\n", root.path()) == 0.25);
  CHECK(cpu_quota("0::/of/the/host\n", root.path()) == 0.25);
}

TEST_CASE("control groups, version 1: the cpu controller counts") {
  const testing::Scratch root;
  const std::string membership = "3:cpuset:/elsewhere\n2:cpu,cpuacct:/a\n1:name=systemd:/b\n";
  CHECK_FALSE(cpu_quota(membership, root.path()));
  write(root / "cpu/a/cpu.cfs_quota_us", "-1\n");
  write(root / "cpu/a/cpu.cfs_period_us", "100000\n");
  CHECK_FALSE(cpu_quota(membership, root.path()));
  write(root / "cpu/a/cpu.cfs_quota_us", "200000\n");
  CHECK(cpu_quota(membership, root.path()) == 2.0);
}

TEST_CASE("nonsense in a control group is no quota") {
  const testing::Scratch root;
  write(root / "cpu.max", "0 0\n");
  CHECK_FALSE(cpu_quota("0::/\n", root.path()));
  CHECK_FALSE(cpu_quota("", root.path()));
  CHECK_FALSE(cpu_quota("no colons\n", root.path()));
}

}  // namespace
}  // namespace imatch
