// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "io/mapped_file.h"

namespace imatch {

/// A stored (not compressed) entry of a zip archive.
struct ZipEntry {
  std::string name;
  ByteRange data;
};

/// The entries of a zip archive as views of its bytes, zip64 included; what a library for compressed archives
/// does not offer. Throws Failure (bad_format, message beginning with `name`) for a compressed or encrypted
/// entry, two entries of one name, entries that overlap, and anything truncated. Checksums are not compared.
/// Format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
std::vector<ZipEntry> read_zip_directory(const ByteRange& archive, const std::string& name);

}  // namespace imatch
