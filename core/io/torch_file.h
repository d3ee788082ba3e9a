// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "io/mapped_file.h"
#include "io/plain_value.h"
#include "io/state_dict.h"

namespace imatch {

/// Reads what torch.save wrote, in the zip format or the older one (.pth, .pt): the tree of plain values that
/// was saved; see state_dict_of for the tensors by name. The file is mapped, and tensors view it unless their
/// bytes are not aligned, so that a large file opens at once; writing to a tensor changes a private copy of
/// its page. No code is run and nothing but tensors and plain containers is built (see unpickle). Throws
/// Failure: not_found, not_a_file, unreadable; bad_format for anything that is truncated, inconsistent, not
/// of this format, big-endian, a TorchScript archive, or that names another global ("names 'os.system'").
PlainValue load_torch_file(const std::string& path);

/// The same over bytes in memory; `name` begins the error messages.
PlainValue load_torch_bytes(const ByteRange& file, const std::string& name);

/// Writes what torch.load, with weights_only too, and load_torch_file read: numbers, texts, lists and dicts
/// as Python has them, tensors copied to the CPU. The file appears whole or not at all. Throws Failure
/// (unwritable, no_space; too_large beyond 4 GiB), Error for a dtype that the reader does not know.
void write_torch_file(const std::string& path, const PlainValue& tree);

}  // namespace imatch
