// SPDX-License-Identifier: Apache-2.0
#include "io/zip_directory.h"

#include <cstring>
#include "catch.h"

#include "base/error.h"

namespace imatch {
namespace {

std::string little(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> 8 * i);
  return text;
}

/// An archive written field by field, as APPNOTE.TXT orders them.
struct Archive {
  struct Entry {
    std::string name, data;
    int flags = 0, method = 0;
    std::string local_extra = {};
    bool zip64 = false;
    std::int64_t size = -1, offset = -1;  ///< Other than the true ones.
  };
  std::vector<Entry> entries;
  std::string comment = {}, before = {};
  bool zip64_end = false;

  std::string bytes() const {
    std::string out = before, central;
    for (const Entry& e : entries) {
      const std::uint64_t size = e.size < 0 ? e.data.size() : static_cast<std::uint64_t>(e.size);
      const std::uint64_t offset = e.offset < 0 ? out.size() : static_cast<std::uint64_t>(e.offset);
      const auto head = [&](bool in_central) {
        const bool beyond = in_central && e.zip64;
        return little(e.flags, 2) + little(e.method, 2) + little(0, 8) +
               little(beyond ? 0xffffffff : e.data.size(), 4) + little(beyond ? 0xffffffff : size, 4) +
               little(e.name.size(), 2);
      };
      const std::string extra = e.zip64 ? little(7, 2) + little(3, 2) + "xyz" + little(1, 2) + little(24, 2) +
                                              little(size, 8) + little(e.data.size(), 8) + little(offset, 8)
                                        : "";
      out += "PK\x03\x04" + little(20, 2) + head(false) + little(e.local_extra.size(), 2) + e.name +
             e.local_extra + e.data;
      central += "PK\x01\x02" + little(20, 2) + little(20, 2) + head(true) + little(extra.size(), 2) +
                 little(2, 2) + little(0, 8) + little(e.zip64 ? 0xffffffff : offset, 4) + e.name + extra +
                 "no";
    }
    const std::size_t start = out.size();
    out += central;
    if (zip64_end) {
      const std::size_t end = out.size();
      out += "PK\x06\x06" + little(44, 8) + little(45, 2) + little(45, 2) + little(0, 8) +
             little(entries.size(), 8) + little(entries.size(), 8) + little(central.size(), 8) +
             little(start, 8);
      out += "PK\x06\x07" + little(0, 4) + little(end, 8) + little(1, 4);
    }
    const bool beyond = zip64_end;
    out += "PK\x05\x06" + little(0, 4) + little(entries.size(), 2) +
           little(beyond ? 0xffff : entries.size(), 2) + little(beyond ? 0xffffffff : central.size(), 4) +
           little(beyond ? 0xffffffff : start, 4) + little(comment.size(), 2) + comment;
    return out;
  }
};

std::vector<ZipEntry> entries_of(const std::string& bytes) {
  return read_zip_directory(own_bytes(bytes), "a.zip");
}

std::string stored_text(const ZipEntry& entry) {
  return {reinterpret_cast<const char*>(entry.data.bytes.data()), entry.data.size()};
}

std::string refusal_of(const std::string& bytes) {
  try {
    entries_of(bytes);
  } catch (const Failure& failure) {
    CHECK(failure.code() == code::kBadFormat);
    CHECK(std::string(failure.what()).starts_with("a.zip"));
    return failure.what();
  }
  return "";
}

TEST_CASE("entries of a zip archive are views of its bytes") {
  Archive archive{{{"one", "first"},
                   {"below/two", "", 0, 0, "padding of the local header"},
                   {"three", "\x4b\x04", 0, 8}}};
  archive.entries[2].size = 900;
  archive.comment = "a comment";
  const std::string bytes = archive.bytes();
  const ByteRange whole = own_bytes(bytes);
  const std::vector<ZipEntry> entries = read_zip_directory(whole, "a.zip");
  REQUIRE(entries.size() == 3);
  CHECK((entries[0].name == "one" && stored_text(entries[0]) == "first" && !entries[0].compressed));
  CHECK((entries[1].name == "below/two" && entries[1].data.size() == 0));
  CHECK((entries[2].name == "three" && stored_text(entries[2]) == "\x4b\x04" && entries[2].compressed));
  CHECK(entries[0].data.bytes.data() >= whole.bytes.data());
  CHECK(entries[0].data.bytes.data() < whole.bytes.data() + whole.size());
  CHECK(entries_of(Archive{}.bytes()).empty());
}

TEST_CASE("sizes and offsets of zip64 stand in the extra field, and the directory in its own record") {
  Archive archive{{{"one", "first"}, {"two", "second"}}};
  for (const bool entry_beyond : {false, true})
    for (const bool end_beyond : {false, true}) {
      archive.entries[1].zip64 = entry_beyond;
      archive.zip64_end = end_beyond;
      const std::vector<ZipEntry> entries = entries_of(archive.bytes());
      REQUIRE(entries.size() == 2);
      CHECK(stored_text(entries[0]) == "first");
      CHECK(stored_text(entries[1]) == "second");
    }
}

TEST_CASE("archives that lie are refused with the reason") {
  const Archive good{{{"one", "first"}, {"two", "second"}}};
  const auto changed = [&](auto change) {
    Archive archive = good;
    change(archive);
    return refusal_of(archive.bytes());
  };
  using Catch::Contains;
  CHECK(refusal_of(good.bytes()).empty());
  CHECK_THAT(changed([](Archive& a) { a.entries[0].flags = 1; }), Contains("'one' is encrypted"));
  CHECK_THAT(changed([](Archive& a) { a.entries[1].name = "one"; }), Contains("two entries 'one'"));
  CHECK_THAT(changed([](Archive& a) { a.entries[0].size = 4; }), Contains("two sizes of 'one'"));
  CHECK_THAT(changed([](Archive& a) { a.entries[1].offset = 0; }), Contains("overlaps"));
  CHECK_THAT(changed([](Archive& a) { a.entries[1].offset = 1; }), Contains("no data of 'two'"));
  CHECK_THAT(changed([](Archive& a) { a.entries[1].offset = 1 << 30; }), Contains("a.zip"));
  std::string no_entry = good.bytes();
  no_entry[no_entry.find("PK\x01\x02")] = 'X';
  CHECK_THAT(refusal_of(no_entry), Contains("no entry"));
  CHECK_THAT(refusal_of(""), Contains("no directory"));
  CHECK_THAT(refusal_of(good.bytes() + std::string(65536 + 22, ' ')), Contains("no directory"));
  Archive lost = good;
  lost.zip64_end = true;
  std::string bytes = lost.bytes();
  bytes[bytes.find("PK\x06\x06")] = 'X';
  CHECK_THAT(refusal_of(bytes), Contains("no zip64 directory"));
}

TEST_CASE("every truncation of an archive is noticed") {
  const std::string bytes = Archive{{{"one", "first"}, {"two", "second"}}}.bytes();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    INFO(size);
    CHECK_FALSE(refusal_of(bytes.substr(0, size)).empty());
  }
}

}  // namespace
}  // namespace imatch
