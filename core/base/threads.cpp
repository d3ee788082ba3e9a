// SPDX-License-Identifier: Apache-2.0
#include "base/threads.h"

#include <ATen/Parallel.h>
#include <dlfcn.h>
#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>
#include <vector>

#include "base/cpu_quota.h"
#include "base/error.h"

namespace imatch {
namespace {

struct Threads {
  int number = available_threads();
  std::vector<void (*)(int)> governed;
};

Threads& threads() {
  static Threads instance;
  return instance;
}

int processors_of_affinity() {
  // The kernel's mask may be longer than cpu_set_t's 1024 processors.
  for (int size = 1024; size <= 1 << 20; size *= 2) {
    cpu_set_t* set = CPU_ALLOC(static_cast<std::size_t>(size));
    const std::size_t bytes = CPU_ALLOC_SIZE(static_cast<std::size_t>(size));
    const int count = ::sched_getaffinity(0, bytes, set) == 0 ? CPU_COUNT_S(bytes, set) : 0;
    CPU_FREE(set);
    if (count > 0) return count;
  }
  return std::max(1, static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN)));
}

/// OpenBLAS comes with OpenCV or FAISS, if at all; found by name, so that base links neither.
void set_openblas_threads(int n) {
  using Setter = void (*)(int);
  if (const auto set = reinterpret_cast<Setter>(::dlsym(RTLD_DEFAULT, "openblas_set_num_threads"))) set(n);
}

}  // namespace

int available_threads() {
  std::ifstream file("/proc/self/cgroup");
  std::ostringstream membership;
  membership << file.rdbuf();
  const double quota = cpu_quota(membership.str()).value_or(1e6);
  return std::max(1, std::min(processors_of_affinity(), static_cast<int>(std::ceil(quota))));
}

void set_num_threads(int n) {
  if (n < 1) throw Error(fmt::format("threads: {} is not allowed; expected an integer >= 1", n));
  threads().number = n;
  at::set_num_threads(n);  // OpenMP's and MKL's too
  set_openblas_threads(n);
  for (const auto set : threads().governed) set(n);
}

int num_threads() {
  return threads().number;
}

void govern_threads(void (*set)(int n)) {
  auto& governed = threads().governed;
  if (std::find(governed.begin(), governed.end(), set) == governed.end()) governed.push_back(set);
  set(threads().number);
}

}  // namespace imatch
