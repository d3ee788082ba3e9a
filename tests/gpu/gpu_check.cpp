// SPDX-License-Identifier: Apache-2.0
//
// Compares what runs on a GPU with the CPU, and prints how fast it is. Without a GPU the CPU stands in for
// it, with small sizes. Exit status 1 when something differs.
//   gpu_check [--device cpu|cuda|cuda:N|auto] [--quick|--full] [--no-throughput]
#include <fmt/format.h>

#include <cstring>
#include <exception>
#include <string>

#include "base/cpu_guard.h"
#include "base/device.h"
#include "gpu/agreement.h"
#include "gpu/throughput.h"

namespace {

using namespace imatch;
using namespace imatch::testing;

int run(const std::string& device_name, const std::string& extent_name, bool throughput) {
  const c10::Device device = resolve_device(device_name);
  set_default_device("cpu");  // what is compared with stays there
  const bool full = extent_name == "--full" || (extent_name.empty() && !device.is_cpu());
  const Extent extent = full ? Extent::kFull : Extent::kQuick;
  fmt::print("comparing {} with cpu\n", device.str());
  const int failures =
      check_networks(device, extent) + check_matching(device, extent) + check_exact_index(device, extent);
  if (throughput) print_throughput(device, extent);
  fmt::print("gpu_check: {}\n", failures == 0 ? "no difference" : fmt::format("{} failed", failures));
  return failures > 0 ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  guard_processor();
  std::string device = "auto", extent;
  bool throughput = true;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--device" && i + 1 < argc) {
      device = argv[++i];
    } else if (argument == "--quick" || argument == "--full") {
      extent = argument;
    } else if (argument == "--no-throughput") {
      throughput = false;
    } else {
      fmt::print(stderr, "gpu_check [--device cpu|cuda|cuda:N|auto] [--quick|--full] [--no-throughput]\n");
      return 2;
    }
  }
  try {
    return run(device, extent, throughput);
  } catch (const std::exception& error) {
    fmt::print(stderr, "gpu_check: {}\n", error.what());
    return 1;
  }
}
