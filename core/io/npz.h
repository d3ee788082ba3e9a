// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "io/state_dict.h"

namespace imatch {

/// The arrays of a file of numpy.savez or savez_compressed, by name (without ".npy") in the order of the
/// file. Throws Failure: not_found, not_a_file, unreadable; too_large for an array of more than 2^34 bytes;
/// bad_format as read_npy, and for a broken archive or a wrong checksum.
StateDict read_npz(const std::string& path);

/// Writes the arrays uncompressed, as numpy.savez does. Throws Failure (unwritable, no_space), and Error as
/// npy_bytes.
void write_npz(const std::string& path, const StateDict& arrays);

}  // namespace imatch
