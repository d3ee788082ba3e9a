// SPDX-License-Identifier: Apache-2.0
#include "index/index_file.h"

#include <faiss/IVFlib.h>
#include <faiss/Index.h>
#include <faiss/IndexIVF.h>
#include <faiss/impl/FaissException.h>
#include <faiss/index_io.h>
#include <faiss/invlists/OnDiskInvertedLists.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "base/file_writer.h"
#include "index/faiss_check.h"
#include "io/json_file.h"
#include "io/mapped_file.h"

namespace imatch {
namespace {

std::string description_path(const std::string& path) {
  return path + ".json";
}

void write_durably(const std::string& path, const faiss::Index& index) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  if (!folder.empty()) make_folder(folder);
  const std::string temporary = fmt::format("{}.{}.tmp", path, ::getpid());
  errno = 0;
  try {
    faiss::write_index(&index, temporary.c_str());
  } catch (const faiss::FaissException& e) {
    const int error = errno;
    ::unlink(temporary.c_str());
    throw Failure(error == ENOSPC ? code::kNoSpace : code::kUnwritable,
                  fmt::format("{}: the index cannot be written: {}", path,
                              error != 0 ? std::strerror(error) : e.what()));
  }
  publish_file(temporary, path);
}

/// FAISS maps lists that a truncated file does not have: reading them would kill the process.
void require_whole_lists(const faiss::Index& index, const std::string& path) {
  const auto* inverted = faiss::ivflib::try_extract_index_ivf(&index);
  const auto* lists =
      inverted ? dynamic_cast<const faiss::OnDiskInvertedLists*>(inverted->invlists) : nullptr;
  if (!lists) return;
  const auto size = std::filesystem::file_size(path);
  for (const auto& list : lists->lists)
    if (list.offset > size ||
        list.capacity * (lists->code_size + sizeof(faiss::Index::idx_t)) > size - list.offset)
      throw Failure(code::kBadFormat, fmt::format("{}: the index is truncated: {} bytes", path, size));
}

}  // namespace

void write_index_files(const std::string& path, const faiss::Index& index,
                       const IndexDescription& description) {
  // The description goes first: without its index it is refused, an index with a former one would be
  // believed.
  std::error_code ignored;
  std::filesystem::remove(description_path(path), ignored);
  write_durably(path, index);
  write_json(description_path(path), {{"format", "imatch-lua index 1"},
                                      {"factory", description.factory},
                                      {"metric", description.metric},
                                      {"dim", description.dim},
                                      {"count", description.count},
                                      {"source", options_to_json(description.source)}});
}

std::unique_ptr<faiss::Index> read_faiss(const std::string& path, const IndexLoadOptions& options) {
  const bool memory_mapped = options.memory_mapped;
  if (options.trusted)
    require_file(path);
  else
    check_faiss_file(map_file(path).bytes, path);
  try {
    std::unique_ptr<faiss::Index> index(
        faiss::read_index(path.c_str(), memory_mapped ? faiss::IO_FLAG_MMAP | faiss::IO_FLAG_READ_ONLY : 0));
    if (memory_mapped) require_whole_lists(*index, path);
    return index;
  } catch (const Failure&) {
    throw;
  } catch (const std::exception& e) {  // FAISS's own, and bad_alloc or length_error for sizes that are none
    throw Failure(code::kBadFormat, fmt::format("{}: not a FAISS index, or truncated ({})", path, e.what()));
  }
}

IndexDescription read_description(const std::string& path, const IndexDescription& found) {
  const std::string beside = description_path(path);
  if (!std::filesystem::exists(beside)) return found;
  const Json json = read_json(beside);
  const auto disagree = [&](const char* key, const std::string& said, const std::string& is) {
    throw Failure(code::kBadFormat,
                  fmt::format("{}: {} is {}, but the index {} has {}", beside, key, said, path, is));
  };
  try {
    IndexDescription said{.factory = json.at("factory"),
                          .metric = json.at("metric"),
                          .dim = json.at("dim"),
                          .count = json.at("count"),
                          .source = parse_options<VectorSource>(json.at("source"), beside + ": source")};
    if (said.metric != found.metric) disagree("metric", said.metric, found.metric);
    if (said.dim != found.dim) disagree("dim", std::to_string(said.dim), std::to_string(found.dim));
    if (said.count != found.count) disagree("count", std::to_string(said.count), std::to_string(found.count));
    return said;
  } catch (const Json::exception& e) {
    throw Failure(code::kBadFormat,
                  fmt::format("{}: not the description of an index ({})", beside, e.what()));
  }
}

}  // namespace imatch
