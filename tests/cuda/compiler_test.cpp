// SPDX-License-Identifier: Apache-2.0
#include "cuda/compiler.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include "catch.h"

#include "base/error.h"
#include "cuda/kernel_sources.h"
#include "cuda/kernels.h"
#include "scratch.h"
#include "test_data.h"

namespace imatch::cuda {
namespace {

/// NVRTC of the wheel that `./setup --peers` installs, which IMATCH_NVRTC names.
std::unique_ptr<const Compiler> compiler() {
  const char* const folder = std::getenv("IMATCH_NVRTC");
  std::string problem;
  return folder ? Compiler::find({folder}, problem) : nullptr;
}

}  // namespace

TEST_CASE("libraries of CUDA's wheels are looked for by any version, the newest first") {
  const testing::Scratch scratch;
  for (const char* name :
       {"libnvrtc.so.12", "libnvrtc.so.13", "libnvrtc-builtins.so.13.0", "libnvrtc.alt.so.13"})
    std::ofstream(scratch / name);
  const std::vector<std::string> places = places_of("libnvrtc.so", {scratch.path()});
  REQUIRE(places.size() >= 3);
  REQUIRE(places[0] == scratch / "libnvrtc.so.13");
  REQUIRE(places[1] == scratch / "libnvrtc.so.12");
  REQUIRE(places[2] == "libnvrtc.so");
}

TEST_CASE("a library that is none, or lacks the functions, is no compiler and no reason to fail") {
  std::string problem;
  const testing::Scratch scratch;
  std::ofstream(scratch / "libnvrtc.so.99") << "no library";
  const auto found = Compiler::find({scratch.path()}, problem);
  REQUIRE((found || !problem.empty()));
}

TEST_CASE("on the CPU there are no kernels, and the reason is told") {
  REQUIRE(kernels_for(c10::kCPU, c10::kFloat) == nullptr);
  REQUIRE(kernels_status(c10::kCPU) == "kernels of our own are for GPUs");
  REQUIRE(free_device_bytes(c10::kCPU) == 0);
}

TEST_CASE("every kernel compiles for every number type and the GPUs of today", "[.nvrtc]") {
  const auto nvrtc = compiler();
  REQUIRE(nvrtc);
  for (const int capability : {80, 90, 100}) {
    if (nvrtc->capabilities().back() < capability) continue;  // NVRTC 12.0 knows none of 10.0
    for (const int number : {0, 1, 2}) {
      const std::string code = nvrtc->compile(kernel_source(), capability, {number_option(number)});
      INFO("compute capability " << capability << ", number type " << number);
      CHECK(code.substr(1, 3) == "ELF");
      const auto is_there = [&](const std::string& kernel) {
        INFO(kernel);
        CHECK(code.find(".text." + kernel + '\0') != std::string::npos);
      };
      for (const char* norm : {"layer_norm", "residual_norm"})
        for (const char* width : {"", "_wide_2", "_wide_4"}) is_there(std::string(norm) + width);
      for (const char* kernel :
           {"bias_gelu", "swiglu", "rotated_heads", "group_norm_sums", "group_norm_apply",
            "group_norm_gradient_sums", "group_norm_gradient", "scaled_sum"})
        for (const char* width : {"", "_wide"}) is_there(std::string(kernel) + width);
      for (const char* kernel : {"normalized_pixels", "patch_rows", "group_norm_statistics",
                                 "group_norm_gradient_means", "group_norm_parameter_gradients"})
        is_there(kernel);
    }
  }
}

TEST_CASE("a GPU newer than NVRTC gets PTX, and one that is too old a message", "[.nvrtc]") {
  const auto nvrtc = compiler();
  REQUIRE(nvrtc);
  const int newest = nvrtc->capabilities().back();
  const std::string code = nvrtc->compile(kernel_source(), newest + 80, {number_option(0)});
  CHECK(code.find(".version") != std::string::npos);
  CHECK(code.find(".visible .entry layer_norm") != std::string::npos);
  CHECK_THROWS_WITH(nvrtc->compile(kernel_source(), 30, {}), Catch::Contains("not for 30"));
}

TEST_CASE("wide kernels read and write 16 bytes at once", "[.nvrtc]") {
  const auto nvrtc = compiler();
  REQUIRE(nvrtc);
  const std::string ptx =
      nvrtc->compile(kernel_source(), nvrtc->capabilities().back() + 80, {number_option(1)});
  for (const char* kernel : {"layer_norm_wide_2", "layer_norm_wide_4", "residual_norm_wide_2",
                             "residual_norm_wide_4", "bias_gelu_wide", "swiglu_wide", "rotated_heads_wide",
                             "group_norm_apply_wide", "group_norm_gradient_wide", "scaled_sum_wide"}) {
    const auto from = ptx.find(std::string(".visible .entry ") + kernel + "(");
    REQUIRE(from != std::string::npos);
    const std::string body = ptx.substr(from, ptx.find(".visible .entry ", from + 1) - from);
    INFO(kernel);
    CHECK(body.find("ld.global.v4") != std::string::npos);
    CHECK(body.find("st.global.v4") != std::string::npos);
    CHECK(body.find("st.global.u16") == std::string::npos);
    CHECK(body.find(".local") == std::string::npos);  // nothing spilled
  }
}

TEST_CASE("a fault in a kernel is told with the compiler's line", "[.nvrtc]") {
  const auto nvrtc = compiler();
  REQUIRE(nvrtc);
  CHECK_THROWS_WITH(nvrtc->compile("__global__ void f() { nonsense(); }", nvrtc->capabilities().back(), {}),
                    Catch::Contains("nonsense") && Catch::Contains("kernels.cu(1)"));
}

}  // namespace imatch::cuda
