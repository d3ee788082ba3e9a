// SPDX-License-Identifier: Apache-2.0
#include "io/torch_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "base/error.h"
#include "io/byte_reader.h"
#include "io/pickle.h"
#include "io/tensor_view.h"
#include "io/zip_directory.h"

namespace imatch {
namespace {

[[noreturn]] void refuse_torch_file(const std::string& name, const std::string& what) {
  throw Failure(code::kBadFormat, name + ": " + what);
}

/// Bytes of a storage; throws when they do not fit into the file.
std::size_t bytes_of(const StorageReference& storage, std::size_t file_size, const std::string& name) {
  std::int64_t bytes = 0;
  if (__builtin_mul_overflow(storage.count, static_cast<std::int64_t>(c10::elementSize(storage.type)),
                             &bytes) ||
      static_cast<std::uint64_t>(bytes) > file_size)
    refuse_torch_file(name, fmt::format("truncated, or broken: the storage '{}' has {} elements", storage.key,
                                        storage.count));
  return static_cast<std::size_t>(bytes);
}

// The zip format: FOLDER/data.pkl, FOLDER/byteorder, and FOLDER/data/KEY for each storage. Every writer names
// the folder after its own file.

PlainValue load_zip(const ByteRange& file, const std::string& name) {
  constexpr std::string_view kPickle = "/data.pkl";
  const std::vector<ZipEntry> entries = read_zip_directory(file, name);
  std::unordered_map<std::string_view, const ByteRange*> data;
  std::string folder;
  for (const ZipEntry& entry : entries) {
    data[entry.name] = &entry.data;
    if (entry.name.ends_with(kPickle) && std::count(entry.name.begin(), entry.name.end(), '/') == 1)
      folder = entry.name.substr(0, entry.name.size() - kPickle.size() + 1);
  }
  if (folder.empty())
    refuse_torch_file(name, "a zip archive without data.pkl; expected a file of torch.save");
  if (data.contains(folder + "constants.pkl"))
    refuse_torch_file(
        name,
        "a TorchScript archive; expected the weights alone, as torch.save(model.state_dict(), ...) writes "
        "them");
  for (const ZipEntry& entry : entries)
    if (entry.compressed)
      refuse_torch_file(
          name, fmt::format("the entry '{}' is compressed; torch.save stores its entries", entry.name));
  if (const auto order = data.find(folder + "byteorder"); order != data.end()) {
    const auto bytes = order->second->bytes;
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (text != "little")
      refuse_torch_file(name, fmt::format("byte order '{}', expected 'little'", text.substr(0, 16)));
  }
  std::unordered_map<std::string, at::Storage> opened;
  const auto find_storage = [&](const StorageReference& reference) {
    const auto known = opened.find(reference.key);
    const auto found = data.find(folder + "data/" + reference.key);
    if (found == data.end())
      refuse_torch_file(name, fmt::format("the storage '{}' is missing", reference.key));
    if (bytes_of(reference, file.size(), name) != found->second->size())
      refuse_torch_file(
          name, fmt::format("the storage '{}' has {} bytes, expected {} elements of {}", reference.key,
                            found->second->size(), reference.count, dtype_name(reference.type)));
    if (known != opened.end()) return known->second;
    return opened.emplace(reference.key, storage_over(*found->second, reference.type, name)).first->second;
  };
  return unpickle(data.at(folder + "data.pkl")->bytes, find_storage, name).value;
}

// The older format: pickles of a magic number, the version 1001, the writing system, the object, and the list
// of storage keys; then each storage: its number of elements (int64) and its bytes. The object comes before
// the storages, so its tensors are made over empty storages that are filled afterwards.

class LegacyFile {
 public:
  LegacyFile(const ByteRange& file, std::size_t magic_size, const std::string& name)
      : file_(file), name_(name), position_(magic_size) {}

  PlainValue load() {
    if (const PlainValue version = next();
        !std::holds_alternative<std::int64_t>(version) || std::get<std::int64_t>(version) != 1001)
      refuse_torch_file(name_, "a version of torch.save's format other than 1001");
    require_little_endian(next());
    PlainValue object = next([this](const StorageReference& reference) { return promise(reference); });
    const PlainValue keys = next();
    const PlainList* list = list_of(keys);
    if (!list) refuse_torch_file(name_, "no list of storages");
    for (const PlainValue& key : list->items) fill(key);
    for (const auto& [key, storage] : storages_)
      if (!storage.filled) refuse_torch_file(name_, fmt::format("the storage '{}' is missing", key));
    return object;
  }

 private:
  struct Promised {
    at::Storage storage;
    at::ScalarType type;
    std::int64_t count;
    bool filled = false;
  };

  PlainValue next() {
    return next([this](const StorageReference& reference) -> at::Storage {
      refuse_torch_file(name_, fmt::format("the storage '{}' where none belongs", reference.key));
    });
  }

  PlainValue next(const StorageSource& storages) {
    Unpickled result = unpickle(file_.bytes.subspan(position_), storages, name_);
    position_ += result.size;
    return std::move(result.value);
  }

  void require_little_endian(const PlainValue& system) const {
    const PlainDict* dict = dict_of(system);
    const PlainValue* little = dict ? dict->find("little_endian") : nullptr;
    if (!little || !std::holds_alternative<bool>(*little))
      refuse_torch_file(name_, "no description of the writing system");
    if (!std::get<bool>(*little)) refuse_torch_file(name_, "written on a big-endian machine");
  }

  at::Storage promise(const StorageReference& reference) {
    const std::size_t size = bytes_of(reference, file_.size(), name_);
    const auto known = storages_.find(reference.key);
    if (known == storages_.end()) {
      at::Storage storage(at::Storage::use_byte_size_t(), size, c10::DataPtr(nullptr, c10::kCPU), nullptr,
                          false);
      return storages_.emplace(reference.key, Promised{std::move(storage), reference.type, reference.count})
          .first->second.storage;
    }
    if (known->second.type != reference.type || known->second.count != reference.count)
      refuse_torch_file(name_, fmt::format("the storage '{}' is described in two ways", reference.key));
    return known->second.storage;
  }

  void fill(const PlainValue& key) {
    const auto found = text_of(key) ? storages_.find(*text_of(key)) : storages_.end();
    // A storage of unknown type has no known size, and what follows it could not be found.
    if (found == storages_.end()) refuse_torch_file(name_, "a storage that no tensor uses");
    Promised& promised = found->second;
    if (promised.filled) refuse_torch_file(name_, fmt::format("two storages '{}'", found->first));
    ByteReader reader(file_.bytes, name_);
    reader.seek(position_);
    const auto count = reader.number<std::int64_t>();
    if (count != promised.count)
      refuse_torch_file(name_, fmt::format("the storage '{}' has {} elements, expected {}", found->first,
                                           count, promised.count));
    const std::size_t start = reader.position();
    const std::size_t size = reader.take(promised.storage.nbytes()).size();
    promised.storage.set_data_ptr_noswap(data_over(file_.part(start, size), promised.type, name_));
    promised.filled = true;
    position_ = start + size;
  }

  const ByteRange& file_;
  const std::string& name_;
  std::size_t position_;
  std::unordered_map<std::string, Promised> storages_;
};

/// The size of the pickle of torch.save's magic number, 0x1950a86a20f9469cfc6c, at the front; 0 when there is
/// none.
std::size_t magic_number_size(std::string_view text) {
  constexpr std::string_view kPickled = "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";
  const std::size_t start = text.size() > 2 && text[2] == '\x95' ? 11 : 2;  // protocols 4 and 5 frame it
  const bool found =
      text.starts_with('\x80') && text.size() > start && text.substr(start).starts_with(kPickled);
  return found ? start + kPickled.size() : 0;
}

}  // namespace

PlainValue load_torch_file(const std::string& path) {
  return load_torch_bytes(map_file(path), path);
}

PlainValue load_torch_bytes(const ByteRange& file, const std::string& name) {
  const std::string_view text(reinterpret_cast<const char*>(file.bytes.data()), file.size());
  if (text.empty()) refuse_torch_file(name, "an empty file");
  if (text.starts_with("PK")) return load_zip(file, name);
  if (const std::size_t size = magic_number_size(text)) return LegacyFile(file, size, name).load();
  refuse_torch_file(name, "not a file of torch.save: neither a zip archive nor its older format");
}

}  // namespace imatch
