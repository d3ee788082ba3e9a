// SPDX-License-Identifier: Apache-2.0
#define CATCH_CONFIG_RUNNER
#include "catch.h"

#include "base/cpu_guard.h"
#include "test_data.h"

int main(int argc, char** argv) {
  imatch::guard_processor();
  // Catch2 ends with the number of failed assertions, which may be 77 as well.
  if (Catch::Session().run(argc, argv) != 0) return 1;
  return imatch::testing::has_skipped ? 77 : 0;
}
