// SPDX-License-Identifier: Apache-2.0
#include "nn/host_kernels.h"

#include <c10/util/Half.h>
#include <fmt/format.h>
#include <ucontext.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

// ---- What CUDA C++ has beside C++, as far as the kernels use it
// ----------------------------------------------
namespace imatch::testing::on_host {

struct Place {
  unsigned x, y;
};
Place threadIdx, blockIdx, blockDim;  // NOLINT: CUDA's names

float __uint_as_float(unsigned bits) {
  return std::bit_cast<float>(bits);
}
unsigned __float_as_uint(float value) {
  return std::bit_cast<unsigned>(value);
}
float half_to_float(unsigned short bits) {
  return c10::detail::fp16_ieee_to_fp32_value(bits);
}
unsigned short float_to_half(float value) {
  return c10::detail::fp16_ieee_from_fp32_value(value);
}
float __shfl_xor_sync(unsigned mask, float value, int offset);
float fast_exp2(float x) {
  return std::exp2(x);
}
float fast_reciprocal(float x) {
  return 1 / x;
}

#define IMATCH_KERNEL static
#define IMATCH_DEVICE [[maybe_unused]] static inline
#define IMATCH_MEMBER inline
#define IMATCH_UNROLL
#define IMATCH_UNROLL_4
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#define IMATCH_NUMBER 0
namespace of_float {
#include "nn/kernels/numbers.cuh"

#include "nn/kernels/activation.cu"
#include "nn/kernels/group_norm.cu"
#include "nn/kernels/layer_norm.cu"
#include "nn/kernels/pixels.cu"
#include "nn/kernels/rotary.cu"
}  // namespace of_float
#undef IMATCH_NUMBER
#define IMATCH_NUMBER 1
namespace of_bfloat16 {
#include "nn/kernels/numbers.cuh"

#include "nn/kernels/activation.cu"
#include "nn/kernels/group_norm.cu"
#include "nn/kernels/layer_norm.cu"
#include "nn/kernels/pixels.cu"
#include "nn/kernels/rotary.cu"
}  // namespace of_bfloat16
#undef IMATCH_NUMBER
#define IMATCH_NUMBER 2
namespace of_half {
#include "nn/kernels/numbers.cuh"

#include "nn/kernels/activation.cu"
#include "nn/kernels/group_norm.cu"
#include "nn/kernels/layer_norm.cu"
#include "nn/kernels/pixels.cu"
#include "nn/kernels/rotary.cu"
}  // namespace of_half
#pragma GCC diagnostic pop

// ---- The threads of a block
// ----------------------------------------------------------------------------------
constexpr unsigned kWarp = 32;
constexpr std::size_t kStackBytes = 64 << 10;

/// Runs blocks one after another, the threads of a block in turns: each goes on until it waits or ends.
class Block {
 public:
  static Block* current;

  Block(cuda::LaunchShape shape, std::function<void()> kernel) : shape_(shape), kernel_(std::move(kernel)) {
    const unsigned count = shape.threads_x * shape.threads_y;
    if (shape.threads_x % kWarp != 0) throw Error("host kernels: expected whole warps along x");
    threads_.resize(count);
    warps_.resize(count / kWarp);
    for (Thread& thread : threads_) thread.stack = std::make_unique<char[]>(kStackBytes);
  }

  void run(unsigned block_x, unsigned block_y) {
    current = this;
    blockIdx = {block_x, block_y};
    blockDim = {shape_.threads_x, shape_.threads_y};
    for (Warp& warp : warps_) warp = {};
    for (Thread& thread : threads_) {
      thread.ended = false;
      ::getcontext(&thread.context);
      thread.context.uc_stack.ss_sp = thread.stack.get();
      thread.context.uc_stack.ss_size = kStackBytes;
      thread.context.uc_link = &scheduler_;
      ::makecontext(&thread.context, &Block::begin, 0);
    }
    unsigned left = static_cast<unsigned>(threads_.size());
    while (left > 0) {
      const long long before = steps_;
      for (at_ = 0; at_ < threads_.size(); ++at_) {
        if (threads_[at_].ended) continue;
        resume();
        if (threads_[at_].ended) --left, ++steps_;
      }
      if (steps_ == before) throw Error("host kernels: threads of a warp wait for some that have ended");
    }
  }

  float exchanged(float value, unsigned lane_mask) {
    Warp& warp = warps_[at_ / kWarp];
    const unsigned lane = at_ % kWarp;
    warp.values[lane] = value;
    meet(warp);
    const float result = warp.values[lane ^ lane_mask];
    meet(warp);
    return result;
  }

 private:
  struct Thread {
    ucontext_t context;
    std::unique_ptr<char[]> stack;
    bool ended = false;
  };
  struct Warp {
    float values[kWarp] = {};
    unsigned arrived = 0;
    long long meeting = 0;
  };

  /// Behind it all threads of the warp have come here.
  void meet(Warp& warp) {
    const long long meeting = warp.meeting;
    if (++warp.arrived == kWarp) {
      warp.arrived = 0;
      ++warp.meeting;
      ++steps_;
    }
    while (warp.meeting == meeting) wait();
  }

  void resume() {
    threadIdx = {static_cast<unsigned>(at_ % shape_.threads_x),
                 static_cast<unsigned>(at_ / shape_.threads_x)};
    switch_to(scheduler_, threads_[at_].context, threads_[at_].stack.get(), kStackBytes);
  }
  void wait() {
    const std::size_t here = at_;
    switch_to(threads_[here].context, scheduler_, scheduler_stack_, scheduler_stack_bytes_);
  }

  // AddressSanitizer must be told which stack it is on.
  void switch_to(ucontext_t& from, ucontext_t& to, [[maybe_unused]] const void* stack,
                 [[maybe_unused]] std::size_t bytes) {
#if defined(__SANITIZE_ADDRESS__)
    void* fake = nullptr;
    __sanitizer_start_switch_fiber(&fake, stack, bytes);
    ::swapcontext(&from, &to);
    __sanitizer_finish_switch_fiber(fake, nullptr, nullptr);
#else
    ::swapcontext(&from, &to);
#endif
  }

  static void begin() {
    Block& block = *current;
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(nullptr, &block.scheduler_stack_, &block.scheduler_stack_bytes_);
#endif
    block.kernel_();
    block.threads_[block.at_].ended = true;
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_start_switch_fiber(nullptr, block.scheduler_stack_, block.scheduler_stack_bytes_);
#endif
  }

  cuda::LaunchShape shape_;
  std::function<void()> kernel_;
  std::vector<Thread> threads_;
  std::vector<Warp> warps_;
  ucontext_t scheduler_{};
  const void* scheduler_stack_ = nullptr;
  std::size_t scheduler_stack_bytes_ = 0;
  std::size_t at_ = 0;   ///< The thread that runs.
  long long steps_ = 0;  ///< Threads that ended and meetings that took place.
};
Block* Block::current = nullptr;

float __shfl_xor_sync(unsigned mask, float value, int offset) {
  if (mask != 0xFFFFFFFF) throw Error("host kernels: expected an exchange of all threads of a warp");
  return Block::current->exchanged(value, static_cast<unsigned>(offset));
}

// ---- Kernels by name
// -----------------------------------------------------------------------------------------
using Call = std::function<void(void** arguments)>;

template <class... Parameters>
Call call_of(void (*kernel)(Parameters...)) {
  return [kernel](void** arguments) {
    [&]<std::size_t... i>(std::index_sequence<i...>) {
      kernel(*static_cast<Parameters*>(arguments[i])...);
    }
    (std::index_sequence_for<Parameters...>());
  };
}

#define IMATCH_ALL_KERNELS(types)                                                                         \
  {                                                                                                       \
    {"layer_norm", call_of(types::layer_norm)}, {"layer_norm_wide_2", call_of(types::layer_norm_wide_2)}, \
        {"layer_norm_wide_4", call_of(types::layer_norm_wide_4)},                                         \
        {"residual_norm", call_of(types::residual_norm)},                                                 \
        {"residual_norm_wide_2", call_of(types::residual_norm_wide_2)},                                   \
        {"residual_norm_wide_4", call_of(types::residual_norm_wide_4)},                                   \
        {"bias_gelu", call_of(types::bias_gelu)}, {"bias_gelu_wide", call_of(types::bias_gelu_wide)},     \
        {"swiglu", call_of(types::swiglu)}, {"swiglu_wide", call_of(types::swiglu_wide)},                 \
        {"rotated_heads", call_of(types::rotated_heads)},                                                 \
        {"rotated_heads_wide", call_of(types::rotated_heads_wide)},                                       \
        {"normalized_pixels", call_of(types::normalized_pixels)},                                         \
        {"patch_rows", call_of(types::patch_rows)},                                                       \
        {"group_norm_statistics", call_of(types::group_norm_statistics)},                                 \
        {"group_norm_gradient_means", call_of(types::group_norm_gradient_means)},                         \
        {"group_norm_parameter_gradients", call_of(types::group_norm_parameter_gradients)},               \
        {"group_norm_sums", call_of(types::group_norm_sums)},                                             \
        {"group_norm_sums_wide", call_of(types::group_norm_sums_wide)},                                   \
        {"group_norm_apply", call_of(types::group_norm_apply)},                                           \
        {"group_norm_apply_wide", call_of(types::group_norm_apply_wide)},                                 \
        {"group_norm_gradient_sums", call_of(types::group_norm_gradient_sums)},                           \
        {"group_norm_gradient_sums_wide", call_of(types::group_norm_gradient_sums_wide)},                 \
        {"group_norm_gradient", call_of(types::group_norm_gradient)},                                     \
        {"group_norm_gradient_wide", call_of(types::group_norm_gradient_wide)},                           \
        {"scaled_sum", call_of(types::scaled_sum)}, {"scaled_sum_wide", call_of(types::scaled_sum_wide)}, \
  }

long long launches = 0;

class HostKernels final : public cuda::Kernels {
 public:
  explicit HostKernels(std::map<std::string, Call, std::less<>> calls) : calls_(std::move(calls)) {}

 private:
  void launch_by_pointers(std::string_view name, const cuda::LaunchShape& shape,
                          void** arguments) const override {
    const auto found = calls_.find(name);
    if (found == calls_.end()) throw Error(fmt::format("host kernels: there is none called '{}'", name));
    Block block(shape, [&] { found->second(arguments); });
    for (unsigned y = 0; y < shape.blocks_y; ++y)
      for (unsigned x = 0; x < shape.blocks_x; ++x) block.run(x, y);
    ++launches;
  }

  std::map<std::string, Call, std::less<>> calls_;
};

}  // namespace imatch::testing::on_host

namespace imatch::testing {

const cuda::Kernels* host_kernels(c10::ScalarType type) {
  using namespace on_host;
  static const HostKernels for_float(IMATCH_ALL_KERNELS(of_float));
  static const HostKernels for_bfloat16(IMATCH_ALL_KERNELS(of_bfloat16));
  static const HostKernels for_half(IMATCH_ALL_KERNELS(of_half));
  switch (type) {
    case c10::kFloat:
      return &for_float;
    case c10::kBFloat16:
      return &for_bfloat16;
    case c10::kHalf:
      return &for_half;
    default:
      return nullptr;
  }
}

long long host_launches() {
  return on_host::launches;
}

}  // namespace imatch::testing
