// SPDX-License-Identifier: Apache-2.0
#define CATCH_CONFIG_RUNNER
#include <unistd.h>

#include <cstdio>

#include "catch.h"

#include "base/cpu_guard.h"
#include "test_data.h"

int main(int argc, char** argv) {
  imatch::guard_processor();
  // Catch2 ends with the number of failed assertions, which may be 77 as well.
  const int status = Catch::Session().run(argc, argv) != 0 ? 1 : imatch::testing::has_skipped ? 77 : 0;
  // As the program ends: OpenVINO's and LibTorch's static destructors do not agree about their order.
  std::fflush(nullptr);
  ::_exit(status);
}
