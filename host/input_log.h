// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <lua.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace imatch::host {

/// Something that user code has read and that another run of it may find changed.
struct Input {
  std::string
      kind;  ///< "code" (a script or module), "data" (a file), "environment" or "text" (of -e, stdin, REPL).
  std::string name;  ///< Path or name of the variable.
  std::string
      sha256;  ///< Of what it held when it was read; "absent", or "changed" when it was changed since.
};

/// Notes, in the order of reading, what the code that runs in this process depends on: the key of a sweep's
/// results. Reading by the library's own modules does not count. Not thread-safe: Lua has one thread.
class InputLog {
 public:
  void code_file(const std::string& path) { file("code", path); }
  void data_file(const std::string& path) { file("data", path); }
  void text(const std::string& name, const std::string& code);
  void environment(const std::string& name);

  /// While cells are measured, what is read is noted apart: it depends on which cells were finished before.
  /// Returns how it was.
  bool set_measuring(bool measuring);
  /// These files and folders are part of the cells' keys: reading them while measuring need not be noted.
  void cover(const std::vector<std::string>& paths) { covered_.insert(paths.begin(), paths.end()); }

  /// What was noted so far. Large files are hashed here, since few scripts ask.
  std::vector<Input> inputs() { return hashed(before_); }
  std::vector<Input> inputs_of_cells() { return hashed(measuring_cells_); }
  std::size_t num_inputs_of_cells() const { return measuring_cells_.size(); }

 private:
  struct Entry {
    Input input;
    std::string state;  ///< Size and time of a large file whose hash is still to be made.
  };
  void file(const char* kind, const std::string& path);
  void note(Entry entry);
  bool is_covered(const std::string& path) const;
  static std::vector<Input> hashed(std::vector<Entry>& entries);

  std::vector<Entry> before_, measuring_cells_;
  std::set<std::string> covered_;
  bool measuring_ = false;
  std::filesystem::file_time_type measuring_since_;
};

InputLog& input_log();

/// Whether the innermost Lua function that is running belongs to the library.
bool library_calls(lua_State* L);

/// The input of that kind and name as it is now.
Input input_now(const std::string& kind, const std::string& name);

/// Replaces os.getenv, io.open and io.lines by ones that note what user code reads.
void note_what_lua_reads(lua_State* L);

}  // namespace imatch::host
