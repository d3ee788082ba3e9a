// SPDX-License-Identifier: Apache-2.0
#include "io/npz.h"

#include <fmt/format.h>
#include <zip.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/stop.h"
#include "io/npy.h"

namespace imatch {
namespace {

constexpr std::uint64_t kMaxArray = std::uint64_t{1} << 34;
constexpr std::uint64_t kMaxDeflateRatio = 1032;        // https://zlib.net/zlib_tech.html
constexpr std::size_t kAtOnce = std::size_t{64} << 20;  ///< libzip miscounts what is read past 4 GiB at once.
constexpr std::string_view kSuffix = ".npy";

struct Discard {
  void operator()(zip_t* archive) const { zip_discard(archive); }
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};
using Archive = std::unique_ptr<zip_t, Discard>;
using ArchiveFile = std::unique_ptr<zip_file_t, Discard>;

struct Source {
  Source() { zip_error_init(&error); }
  ~Source() {
    if (source) zip_source_free(source);
    zip_error_fini(&error);
  }
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  std::string message() { return zip_error_strerror(&error); }

  zip_error_t error;
  zip_source_t* source = nullptr;
};

[[noreturn]] void refuse_npz(const std::string& path, const std::string& what) {
  throw Failure(code::kBadFormat, path + ": " + what);
}

std::string read_entry(zip_t* archive, std::uint64_t index, const zip_stat_t& status,
                       std::uint64_t archive_bytes, const std::string& where) {
  if (status.size > kMaxArray)
    throw Failure(code::kTooLarge,
                  fmt::format("{}: {} bytes, at most {} are accepted", where, status.size, kMaxArray));
  // Both sizes are claims; what the file has is the measure, before memory is taken.
  if (status.comp_size > archive_bytes || status.size > (status.comp_size + 1) * kMaxDeflateRatio)
    refuse_npz(where, "broken archive: impossible size");
  const ArchiveFile file(zip_fopen_index(archive, index, 0));
  if (!file) refuse_npz(where, zip_strerror(archive));
  std::string bytes(status.size, '\0');
  for (std::size_t got = 0; got < bytes.size();) {
    check_stop();
    const std::size_t wanted = std::min(kAtOnce, bytes.size() - got);
    const zip_int64_t count = zip_fread(file.get(), bytes.data() + got, wanted);
    if (count <= 0) refuse_npz(where, count < 0 ? zip_file_strerror(file.get()) : "truncated");
    got += static_cast<std::size_t>(count);
  }
  char beyond = 0;
  // The read at the end compares the checksum.
  if (zip_fread(file.get(), &beyond, 1) != 0)
    refuse_npz(where, "broken archive: " + std::string(zip_file_strerror(file.get())));
  return bytes;
}

}  // namespace

StateDict read_npz(const std::string& path) {
  require_file(path);
  int error = 0;
  const Archive archive(zip_open(path.c_str(), ZIP_RDONLY, &error));
  if (!archive) {
    Source described;
    zip_error_init_with_code(&described.error, error);
    refuse_npz(path, "not a file of numpy.savez: " + described.message());
  }
  const std::uint64_t archive_bytes = std::filesystem::file_size(path);
  StateDict arrays;
  const zip_int64_t count = zip_get_num_entries(archive.get(), 0);
  for (zip_int64_t i = 0; i < count; ++i) {
    const auto index = static_cast<std::uint64_t>(i);
    zip_stat_t status;
    if (zip_stat_index(archive.get(), index, 0, &status) != 0 || !(status.valid & ZIP_STAT_SIZE))
      refuse_npz(path, zip_strerror(archive.get()));
    std::string name = status.name;
    const std::string where = fmt::format("{}: '{}'", path, name);
    if (!name.ends_with(kSuffix)) refuse_npz(where, "not an array");
    name.resize(name.size() - kSuffix.size());
    if (arrays.find(name)) refuse_npz(where, "two arrays of one name");
    arrays.add(std::move(name),
               parse_npy(own_bytes(read_entry(archive.get(), index, status, archive_bytes, where)), where));
  }
  return arrays;
}

/// The first of January 1980, as NumPy has it: the same arrays are the same bytes whenever they are written.
constexpr std::uint16_t kDosDate = 0x21;

void write_npz(const std::string& path, const StateDict& arrays) {
  if (arrays.empty()) throw Error("npz: no arrays to write");  // libzip makes no archive without entries
  Source output;
  output.source = zip_source_buffer_create(nullptr, 0, 0, &output.error);
  if (!output.source) throw Error("npz: " + output.message());
  std::vector<std::string> contents;  // libzip reads them when the archive is closed
  contents.reserve(arrays.size());
  {
    Archive archive(zip_open_from_source(output.source, ZIP_TRUNCATE, &output.error));
    if (!archive) throw Error("npz: " + output.message());
    zip_source_keep(output.source);  // the archive takes one reference, the bytes are read through the other
    for (const auto& [name, tensor] : arrays) {
      const std::string& bytes = contents.emplace_back(npy_bytes(tensor));
      zip_source_t* input = zip_source_buffer(archive.get(), bytes.data(), bytes.size(), 0);
      const zip_int64_t index =
          input ? zip_file_add(archive.get(), (name + std::string(kSuffix)).c_str(), input, ZIP_FL_ENC_UTF_8)
                : -1;
      if (index < 0) {
        if (input) zip_source_free(input);
        throw Error(fmt::format("npz: '{}': {}", name, zip_strerror(archive.get())));
      }
      zip_set_file_compression(archive.get(), static_cast<std::uint64_t>(index), ZIP_CM_STORE, 0);
      zip_file_set_dostime(archive.get(), static_cast<std::uint64_t>(index), 0, kDosDate, 0);
    }
    if (zip_close(archive.get()) != 0) throw Error(fmt::format("npz: {}", zip_strerror(archive.get())));
    static_cast<void>(archive.release());
  }
  zip_stat_t status;
  std::string bytes;
  if (zip_source_stat(output.source, &status) == 0 && zip_source_open(output.source) == 0) {
    bytes.resize(status.size);
    const zip_int64_t got = zip_source_read(output.source, bytes.data(), bytes.size());
    zip_source_close(output.source);
    if (got != static_cast<zip_int64_t>(bytes.size())) throw Error("npz: the archive could not be read back");
  }
  write_file_atomically(path, bytes);
}

}  // namespace imatch
