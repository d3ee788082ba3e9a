// SPDX-License-Identifier: Apache-2.0
#include "gpu/point_maps.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cosine_similarity.h>
#include <ATen/ops/randn.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <random>

#include "gpu/report.h"
#include "nn/dual_point_map.h"
#include "pointmap/loss.h"
#include "raster/rasterize.h"
#include "train/adam.h"
#include "train/autocast.h"

namespace imatch::testing {
namespace {

constexpr double kDifference = 2e-3;  // of gradients, as a share of the largest one: sums in another order
constexpr double kSameSurfaces = 0.9999;

DualPointMapShape small_shape() {
  return {.in_channels = 8, .resolution = 32, .model_channels = 16, .blocks = 1};
}

/// A network in training, and targets whose layers lie behind each other.
class Trained {
 public:
  Trained(const DualPointMapShape& shape, c10::Device device)
      : shape_(shape),
        checkpoint_("random",
                    DualPointMap::initial_weights(shape, at::make_generator<at::CPUGeneratorImpl>(1)), device,
                    at::kFloat, WeightsCheckpoint::Purpose::kTraining),
        network_(shape, checkpoint_),
        device_(device),
        adam_(parameters(), {}) {}

  static at::Tensor features(const DualPointMapShape& shape, std::int64_t batch) {
    auto generator = at::make_generator<at::CPUGeneratorImpl>(2);
    return at::randn({batch, shape.in_channels, shape.resolution, shape.resolution}, generator);
  }
  static at::Tensor target(const DualPointMapShape& shape, std::int64_t batch) {
    auto generator = at::make_generator<at::CPUGeneratorImpl>(3);
    at::Tensor target =
        at::randn({batch, shape.layers, 7, shape.resolution, shape.resolution}, generator) * 0.3;
    target.select(2, 6).copy_(target.select(2, 6).gt(0));
    return target.mul(target.narrow(2, 6, 1)).view({batch, -1, shape.resolution, shape.resolution});
  }

  /// The loss; gradients are left with the parameters.
  double backward(const at::Tensor& features, const at::Tensor& target, c10::ScalarType dtype,
                  double dropout) {
    const Autocast autocast(device_, dtype);
    const at::Tensor output = network_(features, dropout);
    const PointMapLosses losses =
        point_map_losses(output, target, point_map_amounts(target, false), shape_, 1, false);
    const at::Tensor total = losses.points + losses.occupancy;
    total.backward();
    return total.item<double>();
  }
  at::Tensor gradients() {
    std::vector<at::Tensor> list;
    for (const at::Tensor& p : parameters())
      if (p.grad().defined()) list.push_back(p.grad().cpu().flatten());
    return at::cat(list);
  }
  void step() { adam_.step(); }

 private:
  std::vector<at::Tensor> parameters() const {
    std::vector<at::Tensor> list;
    for (const auto& [name, parameter] : checkpoint_.parameters()) list.push_back(parameter);
    return list;
  }

  DualPointMapShape shape_;
  WeightsCheckpoint checkpoint_;
  DualPointMap network_;
  c10::Device device_;
  Adam adam_;
};

int check_training(c10::Device device) {
  const DualPointMapShape shape = small_shape();
  const at::Tensor features = Trained::features(shape, 3), target = Trained::target(shape, 3);
  Trained here(shape, at::kCPU), there(shape, device);
  int failures = 0;
  for (int round = 0; round < 2; ++round) {
    const double loss = here.backward(features, target, at::kFloat, 0),
                 other = there.backward(features.to(device), target.to(device), at::kFloat, 0);
    const at::Tensor wanted = here.gradients(), found = there.gradients();
    const double off = (found - wanted).abs().max().item<double>() / wanted.abs().max().item<double>();
    failures +=
        report(std::abs(loss - other) < 1e-3 * std::abs(loss) && off < kDifference,
               fmt::format("point map training, step {}: losses {:.6f} and {:.6f}, gradients differ by "
                           "{:.2g} of the largest",
                           round + 1, loss, other, off));
    here.step();
    there.step();
  }
  return failures;
}

/// In bfloat16, on the device channels-last: the loss and the direction of the gradients.
int check_short_training(c10::Device device) {
  const DualPointMapShape shape = small_shape();
  const at::Tensor features = Trained::features(shape, 3), target = Trained::target(shape, 3);
  Trained here(shape, at::kCPU), there(shape, device);
  const double loss = here.backward(features, target, at::kFloat, 0),
               other = there.backward(features.to(device), target.to(device), at::kBFloat16, 0);
  const double cosine =
      at::cosine_similarity(here.gradients().to(at::kDouble), there.gradients().to(at::kDouble), 0)
          .item<double>();
  return report(
      std::abs(loss - other) < 0.02 * std::abs(loss) && cosine > 0.99,
      fmt::format("point map training in bf16: losses {:.4f} and {:.4f}, cosine of gradients {:.5f}", loss,
                  other, cosine));
}

/// Triangles in space before a camera, some of them through the near plane.
int check_raster(c10::Device device, Extent extent) {
  const int count = extent == Extent::kFull ? 30000 : 2000, side = extent == Extent::kFull ? 256 : 96;
  std::mt19937 random(4);
  std::uniform_real_distribution<double> place(-2, 2), small(-0.15, 0.15);
  std::vector<Vector3> corners;
  std::vector<std::array<std::int32_t, 3>> triangles;
  for (int i = 0; i < count; ++i) {
    const Vector3 at{place(random), place(random), 3 + 1.6 * place(random)};
    for (int k = 0; k < 3; ++k)
      corners.push_back({at.x + small(random), at.y + small(random), at.z + small(random)});
    triangles.push_back({3 * i, 3 * i + 1, 3 * i + 2});
  }
  const PinholeCamera camera{
      .fx = 1.2 * side, .fy = 1.2 * side, .cx = side / 2.0, .cy = side / 2.0, .translation = {}};
  const RasterOptions options{.width = side, .height = side, .layers = 8, .near_z = 0.1, .far_z = 30};
  const Fragments wanted = rasterize(corners, triangles, camera, options),
                  found = rasterize_by_torch(corners, triangles, camera, options, device.str());
  const double same = found.triangle.cpu().eq(wanted.triangle).to(at::kDouble).mean().item<double>();
  const double surfaces = wanted.triangle.ge(0).sum().item<double>();
  return report(same >= kSameSurfaces && surfaces > 1000,
                fmt::format("raster: {} triangles, {:.0f} surfaces, {:.4f} % of the places have the same one",
                            count, surfaces, 100 * same));
}

double steps_a_second(const DualPointMapShape& shape, std::int64_t batch, c10::Device device,
                      c10::ScalarType dtype, int rounds) {
  Trained trained(shape, device);
  const at::Tensor features = Trained::features(shape, batch).to(device),
                   target = Trained::target(shape, batch).to(device);
  std::chrono::steady_clock::time_point start;
  for (int round = -2; round < rounds; ++round) {
    if (round == 0) {
      if (!device.is_cpu()) c10::impl::VirtualGuardImpl(device.type()).synchronizeDevice(device.index());
      start = std::chrono::steady_clock::now();
    }
    trained.backward(features, target, dtype, 0.1);
    trained.step();
  }
  if (!device.is_cpu()) c10::impl::VirtualGuardImpl(device.type()).synchronizeDevice(device.index());
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  return rounds / elapsed.count();
}

}  // namespace

int check_point_maps(c10::Device device, Extent extent) {
  return check_training(device) + check_short_training(device) + check_raster(device, extent);
}

void print_training_throughput(c10::Device device, Extent extent) {
  const bool full = extent == Extent::kFull;
  const DualPointMapShape shape = full ? DualPointMapShape{} : small_shape();
  const std::int64_t batch = full ? 12 : 2;
  const int rounds = full ? 20 : 2;
  const auto say = [&](const char* name, c10::ScalarType dtype) {
    fmt::print("point map training, {} px, batch {}, {}: {:.3g} steps/s\n", shape.resolution, batch, name,
               steps_a_second(shape, batch, device, dtype, rounds));
  };
  at::globalContext().setBenchmarkCuDNN(device.is_cuda());  // as train() does
  say("bf16", at::kBFloat16);
  if (device.is_cuda()) {
    at::globalContext().setAllowTF32CuDNN(true);
    at::globalContext().setAllowTF32CuBLAS(true);
    say("fp32 by TF32", at::kFloat);
    at::globalContext().setAllowTF32CuDNN(false);
    at::globalContext().setAllowTF32CuBLAS(false);
  }
  say("fp32", at::kFloat);
}

}  // namespace imatch::testing
