// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/spelling.h"
#include "bind/types.h"
#include "binding.h"
#include "io/csv.h"
#include "io/json_file.h"
#include "io/npy.h"
#include "io/npz.h"
#include "io/safetensors.h"
#include "io/state_dict.h"
#include "io/tensor_view.h"

namespace imatch::host {
namespace io_bindings {

struct CsvOptions {
  std::string separator = ",";
  static constexpr auto fields =
      std::tuple{field("separator", &CsvOptions::separator, anything(), "One character between the fields.")};
};

char one_separator(const std::string& separator, const char* what) {
  if (separator.size() != 1 || separator.find_first_of("\"\r\n") != std::string::npos)
    throw Error(fmt::format("{}: separator: expected one character that is no quote or line end, got '{}'",
                            what, separator));
  return separator[0];
}

struct CsvReadOptions {
  std::string separator;
  bool tidy = false;
  static constexpr auto fields = std::tuple{
      field("separator", &CsvReadOptions::separator, anything(),
            "One character between the fields; empty: the comma, semicolon or tab that the header has most "
            "of."),
      field("tidy", &CsvReadOptions::tidy, anything(),
            "Drop blanks around fields, and give columns' names in small letters.")};
};

char separator(lua_State* L, int index, const char* what) {
  return one_separator(options<CsvOptions>(L, index, what).separator, what);
}

/// A table of tensors by name becomes a state dict sorted by name: Lua's own order is accidental.
StateDict check_tensors(lua_State* L, int index) {
  if (!lua_istable(L, index)) wrong_argument(L, index, "a table of tensors by name");
  std::vector<StateDict::Entry> entries;
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
    if (lua_type(L, -2) != LUA_TSTRING || !is<at::Tensor>(L, lua_gettop(L)))
      wrong_argument(L, index, "a table of tensors by name");
    entries.emplace_back(lua_tostring(L, -2), arg<at::Tensor>(L, lua_gettop(L)));
  }
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  StateDict state;
  for (auto& [name, tensor] : entries) state.add(std::move(name), std::move(tensor));
  return state;
}

int push_tensors(lua_State* L, const StateDict& state) {
  lua_createtable(L, 0, static_cast<int>(state.size()));
  for (const auto& [name, tensor] : state) {
    push(L, name);
    push(L, tensor);
    lua_rawset(L, -3);
  }
  return 1;
}

int read_npy(lua_State* L) {
  return push(L, imatch::read_npy(check_string(L, 1)));
}

int write_npy(lua_State* L) {
  imatch::write_npy(check_string(L, 1), arg<at::Tensor>(L, 2));
  return push(L, true);
}

int read_npz(lua_State* L) {
  return push_tensors(L, imatch::read_npz(check_string(L, 1)));
}

int write_npz(lua_State* L) {
  imatch::write_npz(check_string(L, 1), check_tensors(L, 2));
  return push(L, true);
}

int read_csv(lua_State* L) {
  const auto o = options<CsvReadOptions>(L, 2, "read_csv options");
  const std::string path = check_string(L, 1);
  CsvTable table = imatch::read_csv(
      path, o.separator.empty() ? kByHeader : one_separator(o.separator, "read_csv options"));
  if (o.tidy) table = tidied(std::move(table), path);
  lua_createtable(L, static_cast<int>(table.rows.size()), 0);
  for (std::size_t r = 0; r < table.rows.size(); ++r) {
    lua_createtable(L, 0, static_cast<int>(table.header.size()));
    for (std::size_t c = 0; c < table.header.size(); ++c) {
      push(L, table.header[c]);
      push(L, table.rows[r][c]);
      lua_rawset(L, -3);
    }
    lua_rawseti(L, -2, static_cast<int>(r + 1));
  }
  push(L, Json(table.header));
  return 2;
}

std::string field_text(const Json& value, const std::string& column) {
  if (value.is_null()) return "";
  if (value.is_string()) return value.get<std::string>();
  if (value.is_structured())
    throw Error(
        fmt::format("write_csv: column '{}': expected a text, number or boolean, got a table", column));
  return value.dump();
}

int write_csv(lua_State* L) {
  const std::string path = check_string(L, 1);
  const Json rows = to_json(L, 2, "rows"), header = to_json(L, 3, "columns");
  const bool is_list = header.is_array() && !header.empty();
  if (!is_list || !std::all_of(header.begin(), header.end(), [](const Json& n) { return n.is_string(); }))
    wrong_argument(L, 3, "a list of column names");
  CsvTable table{header.get<std::vector<std::string>>(), {}};
  for (const Json& row : rows) {
    if (!row.is_object()) wrong_argument(L, 2, "a list of rows, each a table by column name");
    for (const auto& [name, value] : row.items())
      if (!table.column(name))
        throw Error(fmt::format("write_csv: unknown column '{}'{}", name, did_you_mean(name, table.header)));
    std::vector<std::string>& fields = table.rows.emplace_back();
    for (const std::string& name : table.header)
      fields.push_back(row.contains(name) ? field_text(row.at(name), name) : "");
  }
  imatch::write_csv(path, table, separator(L, 4, "write_csv options"));
  return push(L, true);
}

int read_json(lua_State* L) {
  return push(L, imatch::read_json(check_string(L, 1)));
}

int write_json(lua_State* L) {
  imatch::write_json(check_string(L, 1), to_json(L, 2));
  return push(L, true);
}

int read_state_dict(lua_State* L) {
  Json list = Json::array();
  for (const auto& [name, tensor] : load_state_dict(check_string(L, 1)))
    list.push_back(
        {{"name", name}, {"shape", tensor.sizes().vec()}, {"dtype", dtype_name(tensor.scalar_type())}});
  return push(L, list);
}

int read_tensor(lua_State* L) {
  const std::string path = check_string(L, 1), name = check_string(L, 2);
  const StateDict state = load_state_dict(path);
  if (const at::Tensor* tensor = state.find(name)) return push(L, *tensor);
  std::vector<std::string> names;
  for (const auto& [known, tensor] : state) names.push_back(known);
  throw Failure(code::kNotFound, fmt::format("{}: no tensor '{}'{}", path, name, did_you_mean(name, names)));
}

int write_safetensors(lua_State* L) {
  imatch::write_safetensors(check_string(L, 1), {check_tensors(L, 2), {}});
  return push(L, true);
}

int json(lua_State* L) {
  return push(L, json_text(to_json(L, 1), -1));
}

constexpr Binding kFunctions[] = {
    bind<read_npy>("read_npy", "io.read_npy(path) -> Tensor",
                   "An array that numpy.save wrote: little-endian float16/32/64, int8 to int64, uint8 or "
                   "bool, of any shape, "
                   "in C or Fortran order. Failures: not_found, not_a_file, unreadable, bad_format.",
                   "local p = os.tmpname(); im.io.write_npy(p, im.tensor.from_table { 1, 2 }); "
                   "print(im.io.read_npy(p)); os.remove(p) --> Tensor(2 float32 cpu, min 1 mean 1.5 max 2)"),
    bind<write_npy>(
        "write_npy", "io.write_npy(path, tensor) -> true",
        "Writes what numpy.save would: C order, the tensor's shape and dtype (bfloat16, which NumPy does not "
        "have, "
        "is an error). Atomic. Failures: unwritable, no_space.",
        "local p = os.tmpname(); print(im.io.write_npy(p, im.tensor.from_table { { 1, 2 } })); os.remove(p) "
        "--> true"),
    bind<read_npz>("read_npz", "io.read_npz(path) -> table of Tensor by name",
                   "The arrays of a file of numpy.savez or savez_compressed. Failures as read_npy.",
                   "local p = os.tmpname(); im.io.write_npz(p, { a = im.tensor.from_table { 1 } }); "
                   "print(im.io.read_npz(p).a); os.remove(p) --> Tensor(1 float32 cpu, min 1 mean 1 max 1)"),
    bind<write_npz>(
        "write_npz", "io.write_npz(path, tensors) -> true",
        "Writes a table of tensors by name as numpy.savez does, uncompressed, sorted by name. Failures: "
        "unwritable, no_space.",
        "local p = os.tmpname(); print(im.io.write_npz(p, { a = im.tensor.from_table { 1 } })); os.remove(p) "
        "--> true"),
    bind<read_csv>(
        "read_csv", "io.read_csv(path [, options]) -> rows, columns",
        "A CSV file (RFC 4180) with a header row: a list of rows, each a table of texts by column name, and "
        "the list of "
        "column names. Numbers stay texts: use tonumber. A byte order mark and empty lines are skipped. "
        "Failures: not_found, not_a_file, unreadable, bad_format with the line.",
        "local p = os.tmpname(); im.io.write_csv(p, { { x = 1 } }, { 'x' }); print(im.io.read_csv(p)[1].x); "
        "os.remove(p) --> 1",
        describe_options<CsvReadOptions>),
    bind<write_csv>(
        "write_csv", "io.write_csv(path, rows, columns [, options]) -> true",
        "Writes rows (tables of texts, numbers or booleans by column name) in the order of `columns`; what a "
        "row lacks is "
        "left empty, an unknown column is an error. Atomic. Failures: unwritable, no_space.",
        "local p = os.tmpname(); print(im.io.write_csv(p, { { x = 1, y = 'a' } }, { 'x', 'y' })); "
        "os.remove(p) --> true",
        describe_options<CsvOptions>),
    bind<read_json>(
        "read_json", "io.read_json(path) -> value",
        "A JSON file as tables, texts, numbers and booleans; null is nil. A byte order mark is skipped. "
        "Failures: not_found, not_a_file, unreadable, bad_format with line and column.",
        "local p = os.tmpname(); im.io.write_json(p, { a = 1 }); print(im.io.read_json(p).a); os.remove(p) "
        "--> 1"),
    bind<write_json>(
        "write_json", "io.write_json(path, value) -> true",
        "Writes a table, text, number or boolean as JSON, indented by two blanks. A table with "
        "keys 1..n is a list, {} an "
        "object. Atomic. Failures: unwritable, no_space.",
        "local p = os.tmpname(); print(im.io.write_json(p, { 1, 2, { a = true } })); os.remove(p) --> true"),
    bind<json>("json", "io.json(value) -> string", "JSON in one line.",
               "print(im.io.json { a = { 1, 2 } }) --> {\"a\":[1,2]}"),
    bind<read_state_dict>(
        "read_state_dict", "io.read_state_dict(path) -> list of {name, shape, dtype}",
        "The tensors of a weights file, .safetensors or what torch.save wrote (zip or legacy), in its order; "
        "names of "
        "nested tables are joined by dots. No code in the file is run: one that names anything but tensors "
        "and plain "
        "containers is refused. Failures: not_found, not_a_file, unreadable, bad_format.",
        "local p = os.tmpname(); im.io.write_safetensors(p, { a = im.tensor.from_table { 1 } }); "
        "print(im.io.read_state_dict(p)[1].name); os.remove(p) --> a"),
    bind<read_tensor>(
        "read_tensor", "io.read_tensor(path, name) -> Tensor",
        "One tensor of a weights file by its name in read_state_dict; the file is mapped, not read whole. "
        "Failures as read_state_dict, and not_found for the name.",
        "local p = os.tmpname(); im.io.write_safetensors(p, { a = im.tensor.from_table { 1 } }); "
        "print(im.io.read_tensor(p, 'a')); os.remove(p) --> Tensor(1 float32 cpu, min 1 mean 1 max 1)"),
    bind<write_safetensors>(
        "write_safetensors", "io.write_safetensors(path, tensors) -> true",
        "Writes a table of tensors by name as a .safetensors file. Atomic. Failures: unwritable, no_space.",
        "local p = os.tmpname(); print(im.io.write_safetensors(p, { a = im.tensor.from_table { 1 } })); "
        "os.remove(p) --> true"),
};

}  // namespace io_bindings

extern const Module io_module;
const Module io_module{"io",
                       "Files of arrays, weights and tables: npy, npz, safetensors, torch.save, CSV, JSON.",
                       io_bindings::kFunctions};

}  // namespace imatch::host
