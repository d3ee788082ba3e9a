// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "io/mapped_file.h"

namespace imatch {

/// An entry of a zip archive.
struct ZipEntry {
  std::string name;
  ByteRange data;  ///< As it lies in the archive.
  bool compressed = false;
};

/// The entries of a zip archive as views of its bytes, zip64 included; what a library for compressed archives
/// does not offer. Throws Failure (bad_format, message beginning with `name`) for an encrypted entry, two
/// entries of one name, entries that overlap, and anything truncated. Checksums are not compared. Format:
/// https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
std::vector<ZipEntry> read_zip_directory(const ByteRange& archive, const std::string& name);

}  // namespace imatch
