// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace imatch {

/// Folder of the files that come with the program: "lua" (modules and commands), "experiments", "weights",
/// "python" (the module for Python) or "js" (what reports are made of). In an installed tree
/// ../share/imatch-lua/KIND beside the running program, so that the tree can be moved; in a build tree the
/// folders of the sources. Absolute, without links, no slash at the end. Throws Error for another kind,
/// Failure (not_found) when the folder is missing.
std::string resource_folder(const std::string& kind);

/// Where an installed tree has PROJ's database beside it (packaging/bundle_libraries.py), PROJ takes that
/// one, unless PROJ_DATA says another place. To be called before threads run.
void use_bundled_data();

}  // namespace imatch
