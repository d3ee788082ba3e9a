// SPDX-License-Identifier: Apache-2.0
//
// Pieces of pickles, written by hand: what no honest writer makes.
#pragma once

#include <cstdint>
#include <string>

namespace imatch::testing {

template <class T>
std::string raw(T number) {
  return {reinterpret_cast<const char*>(&number), sizeof(number)};
}

inline std::string text(const std::string& value) {
  return "X" + raw(static_cast<std::uint32_t>(value.size())) + value;
}
inline std::string integer(std::int64_t value) {
  return "\x8a\x08" + raw(value);
}
inline std::string global(const std::string& module, const std::string& name) {
  return "c" + module + "\n" + name + "\n";
}
inline std::string tuple(const std::string& items) {
  return "(" + items + "t";
}
inline std::string pickle(const std::string& body) {
  return "\x80\x02" + body + ".";
}

inline std::string storage(std::int64_t count = 2, const std::string& type = "FloatStorage",
                           const std::string& key = "0", const std::string& view = "N") {
  return tuple(text("storage") + global("torch", type) + text(key) + text("cpu") + integer(count) + view) +
         "Q";
}

/// torch._utils._rebuild_tensor_v2(storage, offset, sizes, strides, False, OrderedDict())
inline std::string tensor(std::int64_t offset, const std::string& sizes, const std::string& strides,
                          const std::string& from = storage()) {
  return global("torch._utils", "_rebuild_tensor_v2") +
         tuple(from + integer(offset) + tuple(sizes) + tuple(strides) + "\x89" +
               global("collections", "OrderedDict") + ")R") +
         "R";
}

inline std::string legacy_header() {
  return pickle("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19") + pickle("M\xe9\x03") +
         pickle("}" + text("little_endian") + "\x88s");
}

/// A file in the legacy format around one object, with the storage "0" of two floats: 1.5 and -2.5.
inline std::string legacy_file(const std::string& object) {
  return legacy_header() + pickle(object) + pickle("]" + text("0") + "a") + raw(std::int64_t{2}) + raw(1.5F) +
         raw(-2.5F);
}

/// The same with no storage at all.
inline std::string legacy_file_without_storage(const std::string& object) {
  return legacy_header() + pickle(object) + pickle("]");
}

}  // namespace imatch::testing
