// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace imatch {

/// One process-wide request to stop, set by the signal handler and polled by every long loop:
/// once per image, batch, tile or cell, so that Ctrl-C is answered within a fraction of a second.
/// All functions are async-signal-safe and may be called from any thread.
void request_stop() noexcept;
void clear_stop() noexcept;
bool stop_requested() noexcept;

/// Throws Interrupted when a stop was asked for.
void check_stop();

}  // namespace imatch
