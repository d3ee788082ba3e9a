// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace imatch {

/// Keeps in mind that something could not be written to standard output, by whom ever: the exit status tells.
/// Async-signal-safe.
void note_output_error(int error) noexcept;

/// Whether everything that this process has written to standard output has arrived: flushes it and asks the
/// file for errors that show at closing only. 0, or the errno.
int standard_output_error() noexcept;

}  // namespace imatch
