// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "index/index.h"

namespace faiss {
struct Index;
}

namespace imatch {

/// What stands in the JSON file beside an index.
struct IndexDescription {
  std::string factory;
  std::string metric;
  std::int64_t dim = 0;
  std::int64_t count = 0;
  VectorSource source = {};
};

/// Writes both files under temporary names and renames them. Throws Failure (unwritable, no_space).
void write_index_files(const std::string& path, const faiss::Index& index,
                       const IndexDescription& description);

/// The .faiss file, checked before FAISS reads it unless it is trusted. Throws Failure as Index::load.
std::unique_ptr<faiss::Index> read_faiss(const std::string& path, const IndexLoadOptions& options);

/// The file beside `path`, compared with what the index itself says; without that file, `found`. Throws
/// Failure bad_format naming the file and the key that does not agree.
IndexDescription read_description(const std::string& path, const IndexDescription& found);

}  // namespace imatch
