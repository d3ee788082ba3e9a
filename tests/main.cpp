// SPDX-License-Identifier: Apache-2.0
#define CATCH_CONFIG_RUNNER
#include "catch.h"

#include "base/cpu_guard.h"

int main(int argc, char** argv) {
  imatch::guard_processor();
  return Catch::Session().run(argc, argv);
}
