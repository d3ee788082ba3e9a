// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace imatch {

/// Files written by other programs (make_samples.py).
inline const std::string kSamples = IMATCH_TEST_FOLDER "/io/data/";

}  // namespace imatch
