// SPDX-License-Identifier: Apache-2.0
//
// Compares what runs on a GPU with the CPU, and prints how fast it is. Without a GPU the CPU stands in for
// it, with small sizes. Exit status 1 when something differs.
//   gpu_check [--device cpu|cuda|cuda:N|auto] [--quick|--full] [--throughput|--no-throughput]
//             [--only kernels|networks|matching|index|point-maps|parts]
// --throughput prints the table of vision transformers in bf16, and --only parts where their time goes; both
// compare nothing.
#include <fmt/format.h>

#include <cstdio>
#include <cstring>
#include <exception>
#include <string>

#include "base/cpu_guard.h"
#include "base/device.h"
#include "gpu/agreement.h"
#include "gpu/all_reduce.h"
#include "gpu/fused_kernels.h"
#include "gpu/group_norms.h"
#include "gpu/parts.h"
#include "gpu/point_maps.h"
#include "gpu/throughput.h"

namespace {

using namespace imatch;
using namespace imatch::testing;

enum class Throughput { kNone, kBehindChecks, kAlone };

constexpr const char* kUsage =
    "gpu_check [--device cpu|cuda|cuda:N|auto] [--quick|--full] [--throughput|--no-throughput] "
    "[--only kernels|networks|matching|index|point-maps|parts]\n";

int run(const std::string& device_name, const std::string& extent_name, Throughput throughput,
        const std::string& only) {
  const c10::Device device = resolve_device(device_name);
  set_default_device("cpu");  // what is compared with stays there
  const bool full = extent_name == "--full" || (extent_name.empty() && !device.is_cpu());
  const Extent extent = full ? Extent::kFull : Extent::kQuick;
  if (only == "parts") {
    print_parts(device, extent);
    return 0;
  }
  if (throughput == Throughput::kAlone) {
    print_throughput(device, extent, /*all_types=*/false);
    return 0;
  }
  fmt::print("comparing {} with cpu\n", device.str());
  const auto wanted = [&](const char* name) { return only.empty() || only == name; };
  int failures = 0;
  if (wanted("kernels")) {
    failures += check_fused_kernels(device, extent) + check_group_norms(device, extent);
    failures += check_attention(device, extent);
    failures += check_recording(device, extent) + check_samples(device, extent);
  }
  if (wanted("networks")) failures += check_networks(device, extent);
  if (wanted("matching")) failures += check_matching(device, extent);
  if (wanted("index")) failures += check_exact_index(device, extent) + check_coreset(device, extent);
  if (wanted("point-maps")) failures += check_point_maps(device, extent) + check_all_reduce(device);
  const bool timed = throughput == Throughput::kBehindChecks;
  if (timed && wanted("networks")) print_throughput(device, extent, /*all_types=*/true);
  if (timed && wanted("point-maps")) print_training_throughput(device, extent);
  fmt::print("gpu_check: {}\n", failures == 0 ? "no difference" : fmt::format("{} failed", failures));
  return failures > 0 ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  guard_processor();
  std::setvbuf(stdout, nullptr, _IOLBF, 0);  // a line is seen when it is there, in a pipe too
  std::string device = "auto", extent, only;
  Throughput throughput = Throughput::kBehindChecks;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--device" && i + 1 < argc) {
      device = argv[++i];
    } else if (argument == "--quick" || argument == "--full") {
      extent = argument;
    } else if (argument == "--only" && i + 1 < argc) {
      only = argv[++i];
    } else if (argument == "--no-throughput") {
      throughput = Throughput::kNone;
    } else if (argument == "--throughput") {
      throughput = Throughput::kAlone;
    } else {
      fmt::print(stderr, "{}", kUsage);
      return 2;
    }
  }
  try {
    return run(device, extent, throughput, only);
  } catch (const std::exception& error) {
    fmt::print(stderr, "gpu_check: {}\n", error.what());
    return 1;
  }
}
