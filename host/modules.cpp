// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/error.h"
#include "base/resources.h"
#include "binding.h"
#include "globals.h"
#include "interrupt.h"
#include "notebook.h"
#include "process.h"
#include "source.h"

namespace imatch::host {

extern const Module host_module;
extern const Module progress_module;
extern const Module tensor_module;
extern const Module homography_module;
extern const Module camera_module;
extern const Module io_module;
extern const Module file_module;
extern const Module image_module;
extern const Module draw_module;
extern const Module mesh_module;
extern const Module raster_module;
extern const Module picture_statistics_module;
extern const Module image_stream_module;
extern const Module feature_module;
extern const Module cache_module;
extern const Module backbone_module;
extern const Module match_module;
extern const Module pairs_module;
extern const Module evaluate_module;
extern const Module export_module;
extern const Module geo_module;
extern const Module render_module;
extern const Module index_module;
extern const Module manifest_module;
extern const Module reference_view_module;
extern const Module vector_set_module;
extern const Module search_results_module;
extern const Module search_evaluation_module;
extern const Module redis_module;
extern const Module localize_module;
extern const Module point_clouds_module;
extern const Module pointmap_module;
extern const Module anomaly_module;
extern const Module inputs_module;
extern const Module plan_module;
extern const Module run_module;
extern const Module shared_work_module;
extern const Module results_module;
extern const Module report_module;
extern const Module keys_module;
extern const Module page_module;

int close_handle(lua_State* L);
int collect_handle(lua_State* L);

namespace {

/// One line a file of host/bind. Several may fill one table of `im`.
const Module* const kModules[] = {
    &host_module,
    &progress_module,
    &tensor_module,
    &homography_module,
    &camera_module,
    &file_module,
    &io_module,
    &image_module,
    &draw_module,
    &picture_statistics_module,
    &image_stream_module,
    &mesh_module,
    &raster_module,
    &feature_module,
    &cache_module,
    &backbone_module,
    &match_module,
    &pairs_module,
    &evaluate_module,
    &export_module,
    &geo_module,
    &render_module,
    &index_module,
    &manifest_module,
    &reference_view_module,
    &vector_set_module,
    &search_results_module,
    &search_evaluation_module,
    &redis_module,
    &localize_module,
    &point_clouds_module,
    &pointmap_module,
    &anomaly_module,
    &inputs_module,
    &plan_module,
    &run_module,
    &shared_work_module,
    &results_module,
    &report_module,
    &keys_module,
    &page_module,
};

constexpr Binding kClose = bind<close_handle>(
    "close", "object:close()",
    "Frees the native memory now instead of at the next collection. A second call does nothing; "
    "any other use afterwards is an error that says the object is closed.",
    "im.image.new(8, 8):close()");

void set_function(lua_State* L, const char* name, lua_CFunction function) {
  lua_pushcfunction(L, function);
  lua_setfield(L, -2, name);
}

/// The guard finds in its upvalue what the function is called.
void set_binding(lua_State* L, const std::string& prefix, const Binding& binding) {
  push(L, prefix + binding.name);
  lua_pushcclosure(L, binding.function(), 1);
  lua_setfield(L, -2, binding.name);
}

/// tostring(object): the type's own text, or that it is closed.
int handle_to_string(lua_State* L) {
  const auto* handle = static_cast<const Handle*>(lua_touserdata(L, 1));
  if (handle && handle->object) return lua_tocfunction(L, lua_upvalueindex(1))(L);
  return push(L, std::string(lua_tostring(L, lua_upvalueindex(2))) + " (closed)");
}

/// Pushes the table of that name in the table on top, a new one where there is none.
void push_table(lua_State* L, const char* name) {
  lua_getfield(L, -1, name);
  if (lua_istable(L, -1)) return;
  lua_pop(L, 1);
  lua_newtable(L);
}

void push_documentation(lua_State* L, const std::string& full_name, const Binding& binding) {
  Json entry{{"name", full_name},
             {"signature", binding.signature},
             {"text", binding.text},
             {"example", binding.example}};
  if (binding.options) {
    Json fields = Json::array();
    for (const FieldInfo& f : binding.options())
      fields.push_back({{"name", f.name},
                        {"type", f.type},
                        {"allowed", f.allowed},
                        {"default", f.default_value},
                        {"doc", f.doc}});
    entry["options"] = fields;
  }
  push_json(L, entry);
  lua_setfield(L, -2, full_name.c_str());
}

void set_methods(lua_State* L, const Type& type) {
  for (const Binding& method : type.methods) set_binding(L, std::string(type.name) + ":", method);
}

/// More methods of a type that another module has registered.
void extend_type(lua_State* L, const Type& type) {
  luaL_getmetatable(L, type.name);
  lua_getfield(L, -1, "__index");
  set_methods(L, type);
  lua_pop(L, 2);
}

void register_type(lua_State* L, const Type& type) {
  luaL_newmetatable(L, type.name);  // by its name for the documentation, by its key for handles
  lua_pushlightuserdata(L, const_cast<TypeName*>(type.key));
  lua_pushvalue(L, -2);
  lua_rawset(L, LUA_REGISTRYINDEX);
  lua_pushboolean(L, 1);
  lua_setfield(L, -2, "__imatch_handle");
  lua_pushstring(L, type.name);
  lua_setfield(L, -2, "__name");
  // Scripts see the name, not the metatable: a changed metatable would break the type check.
  lua_pushstring(L, type.name);
  lua_setfield(L, -2, "__metatable");
  set_function(L, "__gc", collect_handle);
  lua_pushcfunction(L, type.tostring);
  lua_pushstring(L, type.name);
  lua_pushcclosure(L, handle_to_string, 2);
  lua_setfield(L, -2, "__tostring");
  if (type.length) set_function(L, "__len", type.length);
  lua_newtable(L);
  set_binding(L, std::string(type.name) + ":", kClose);
  set_methods(L, type);
  refuse_unknown_fields(L, type.name);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}

/// native.documentation() -> table of every bound function and method by full name.
int documentation(lua_State* L) {
  lua_newtable(L);
  for (const Module* module : modules()) {
    const std::string prefix = *module->name ? std::string(module->name) + "." : "";
    for (const Binding& function : module->functions) push_documentation(L, prefix + function.name, function);
    for (const Type& type : module->types) {
      if (type.tostring) push_documentation(L, std::string(type.name) + ":close", kClose);
      for (const Binding& method : type.methods)
        push_documentation(L, std::string(type.name) + ":" + method.name, method);
    }
  }
  return 1;
}

/// native.methods(type_name) -> sorted list of the type's method names, for completion.
int methods(lua_State* L) {
  const std::string name = check_string(L, 1);
  Json list = Json::array();
  for (const Module* module : modules())
    for (const Type& type : module->types)
      if (name == type.name) {
        if (type.tostring) list.push_back("close");
        for (const Binding& method : type.methods) list.push_back(method.name);
      }
  return push(L, list);
}

/// native.overview() -> list of {name, text, types = {{name, text}}}, in the order of the rooms. A table of
/// `im` that several modules fill is there once, with the text of the first.
int overview(lua_State* L) {
  Json list = Json::array();
  for (const Module* module : modules()) {
    const auto same = [&](const Json& entry) { return entry.at("name") == module->name; };
    auto entry = std::find_if(list.begin(), list.end(), same);
    if (entry == list.end()) {
      list.push_back({{"name", module->name}, {"text", module->text}, {"types", Json::array()}});
      entry = list.end() - 1;
    }
    for (const Type& type : module->types)
      if (type.tostring) entry->at("types").push_back({{"name", type.name}, {"text", type.text}});
  }
  return push(L, list);
}

/// internal.strict(table, name): reading a field that the table does not have is an error from now on.
int make_strict(lua_State* L) {
  const std::string name = check_string(L, 2);
  lua_settop(L, 1);
  refuse_unknown_fields(L, name);
  return 1;
}

/// internal.raise(message): an error with the line of the user's code that called the library.
int raise(lua_State* L) {
  throw Error(check_string(L, 1));
}

/// internal.finally(work, after): calls work(), then after(), also when work failed or was interrupted; then
/// that error goes on.
int finally(lua_State* L) {
  lua_settop(L, 2);
  lua_pushvalue(L, 1);
  const int status = lua_pcall(L, 0, 0, 0);
  const int signal = status != 0 ? pause_interrupt(L) : 0;
  lua_pushvalue(L, 2);
  const int after = lua_pcall(L, 0, 0, 0);
  resume_interrupt(L, signal);
  return status != 0 || after != 0 ? lua_error(L) : 0;
}

/// internal.resource_folder(kind) -> path
int folder_of(lua_State* L) {
  return push(L, resource_folder(check_string(L, 1)));
}

/// internal.begin_script(path)
int note_script(lua_State* L) {
  begin_script(L, check_string(L, 1));
  return 0;
}

}  // namespace

std::span<const Module* const> modules() {
  return kModules;
}

int push_native(lua_State* L) {
  lua_newtable(L);
  for (const Module* module : modules()) {
    for (const Type& type : module->types) type.tostring ? register_type(L, type) : extend_type(L, type);
    const bool nested = *module->name != '\0';
    if (nested) push_table(L, module->name);
    const std::string prefix = nested ? std::string(module->name) + "." : "";
    for (const Binding& function : module->functions) set_binding(L, prefix, function);
    if (nested) lua_setfield(L, -2, module->name);
  }
  set_function(L, "documentation", guarded<documentation>);
  set_function(L, "methods", guarded<methods>);
  set_function(L, "overview", guarded<overview>);
  lua_newtable(L);  // for the library itself
  set_function(L, "strict", guarded<make_strict>);
  set_function(L, "raise", guarded<raise>);
  set_function(L, "begin_script", guarded<note_script>);
  set_function(L, "run_commands", guarded<run_commands_bound>);
  set_function(L, "resource_folder", guarded<folder_of>);
  set_function(L, "finally", guarded<finally>);
  set_function(L, "serve_notebook", guarded<serve_notebook>);
  set_function(L, "png_base64", guarded<png_base64>);
  lua_setfield(L, -2, "internal");
  return 1;
}

}  // namespace imatch::host
