// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace imatch {

/// Processors that this process may use: its affinity, or its control group's quota (rounded up) if that is
/// less; >= 1.
int available_threads();

/// Threads that one operation may use, in LibTorch (and MKL and oneDNN with it), OpenMP, OpenBLAS and every
/// library added by govern_threads. OpenMP keeps the number for each thread apart: call this on the thread
/// that does the work. Throws Error unless n >= 1.
void set_num_threads(int n);

/// The number last set, or available_threads().
int num_threads();

/// Adds a library with threads of its own that base does not know. `set` is called now and at every change.
void govern_threads(void (*set)(int n));

}  // namespace imatch
