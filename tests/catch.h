// SPDX-License-Identifier: Apache-2.0
#pragma once

// LibTorch has a CHECK of its own; included first, it cannot come back over Catch2's.
#include <c10/util/Logging.h>
#undef CHECK
#include <catch2/catch.hpp>
