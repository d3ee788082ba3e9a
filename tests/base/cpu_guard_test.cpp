// SPDX-License-Identifier: Apache-2.0
#include "base/cpu_guard.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>

#include <cstdio>
#include <cstdlib>
#include "catch.h"

namespace imatch {
namespace {

constexpr std::uint32_t kAmx = 1u << 22 | 1u << 24 | 1u << 25;
/// Leaf 0x1D.1 of a Sapphire Rapids processor: 8192 bytes of 1024 a tile, 64 a row, 8 tiles of 16 rows.
constexpr std::array<std::uint32_t, 4> kSapphireRapids = {0x04002000, 0x00080040, 0x00000010, 0};

/// Largest difference from the float32 result, relative to its largest value.
double relative_error(const at::Tensor& bf16, const at::Tensor& exact) {
  REQUIRE(bf16.scalar_type() == at::kBFloat16);
  return bf16.to(at::kFloat).sub(exact).abs().max().item<double>() / exact.abs().max().item<double>();
}

TEST_CASE("AMX without a description of its tiles is broken, AMX with one is not") {
  CHECK_FALSE(amx_is_broken({.leaf7_edx = 0, .palette1 = {}}));
  CHECK_FALSE(amx_is_broken({.leaf7_edx = ~kAmx, .palette1 = {}}));
  CHECK_FALSE(amx_is_broken({.leaf7_edx = kAmx, .palette1 = kSapphireRapids}));
  CHECK(amx_is_broken({.leaf7_edx = kAmx, .palette1 = {}}));
  for (const int bit : {22, 24, 25}) CHECK(amx_is_broken({.leaf7_edx = 1u << bit, .palette1 = {}}));
  for (std::size_t i = 0; i < 4; ++i) {
    std::array<std::uint32_t, 4> palette1 = {};
    palette1[i] = 1;
    CHECK_FALSE(amx_is_broken({.leaf7_edx = kAmx, .palette1 = palette1}));
  }
}

TEST_CASE("the guard sets the variable where AMX is broken only, and never over the user's") {
  const char* name = "ONEDNN_MAX_CPU_ISA";
  const char* before = std::getenv(name);
  const std::string kept = before ? before : "";
  ::setenv(name, "AVX2", 1);
  guard_processor();
  CHECK(std::string(std::getenv(name)) == "AVX2");
  ::unsetenv(name);
  guard_processor();
  const char* set = std::getenv(name);
  CHECK(std::string(set ? set : "") == (amx_is_broken(read_amx_leaves()) ? "AVX10_1_512" : ""));
  before ? ::setenv(name, kept.c_str(), 1) : ::unsetenv(name);
}

// On a processor with broken AMX this dies with SIGILL unless the guard has done its work in main.
TEST_CASE("bf16 operations run on this processor") {
  const at::Tensor a = at::randn({96, 128}), b = at::randn({128, 64});
  CHECK(relative_error(at::matmul(a.to(at::kBFloat16), b.to(at::kBFloat16)), at::matmul(a, b)) < 0.02);
  const at::Tensor image = at::randn({2, 16, 32, 32}), kernel = at::randn({32, 16, 3, 3});
  CHECK(relative_error(at::conv2d(image.to(at::kBFloat16), kernel.to(at::kBFloat16)),
                       at::conv2d(image, kernel)) < 0.02);
}

// Run in a process of its own, where oneDNN has not been used before; CTest reads what oneDNN says of itself.
TEST_CASE("oneDNN obeys a limit set in main", "[.][onednn_isa]") {
  if (!__builtin_cpu_supports("avx2")) {
    std::puts("this processor has no AVX2");
    return;
  }
  ::setenv("ONEDNN_MAX_CPU_ISA", "AVX2", 1);
  ::setenv("ONEDNN_VERBOSE", "1", 1);
  const at::Tensor sums = at::conv2d(at::ones({4, 16, 32, 32}), at::ones({16, 16, 3, 3}));
  CHECK(sums.min().item<float>() == 16 * 9);
}

}  // namespace
}  // namespace imatch
