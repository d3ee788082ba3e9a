// SPDX-License-Identifier: Apache-2.0
#include "notebook.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "base/base64.h"
#include "base/error.h"
#include "base/stop_notice.h"
#include "bind/types.h"
#include "completion.h"
#include "guard.h"
#include "image/encode.h"
#include "io/json_file.h"
#include "session.h"
#include "stack.h"

namespace imatch::host {
namespace {

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

File open_descriptor(lua_State* L, int index, const char* mode) {
  File file(::fdopen(static_cast<int>(check_integer(L, index, 0, 1 << 20)), mode), std::fclose);
  if (!file) wrong_argument(L, index, "an open file descriptor");
  return file;
}

void send(std::FILE* replies, const Json& reply) {
  std::fflush(stdout);  // what was printed stands before the reply
  // What Lua calls text may be no UTF-8.
  fmt::print(replies, "{}\n", reply.dump(-1, ' ', false, Json::error_handler_t::replace));
  std::fflush(replies);
}

/// display(data): shows something while a cell is under way.
int display(lua_State* L) {
  send(static_cast<std::FILE*>(lua_touserdata(L, lua_upvalueindex(1))),
       {{"display", to_json(L, 1, "display")}});
  return 0;
}

/// The `count` values on top as imatch.notebook shows them.
Json data_of(lua_State* L, Session& session, int count) {
  if (!session.call_library("imatch.notebook", "data", count, 1)) return nullptr;
  const Json data = to_json(L, -1, "data");
  lua_pop(L, 1);
  return data;
}

Json execute(lua_State* L, Session& session, std::string code) {
  code.erase(code.find_last_not_of(" \t\r\n") + 1);
  if (code.empty()) return {{"ok", true}, {"data", nullptr}};
  const bool quiet = code.back() == ';';
  while (!code.empty() && code.back() == ';') code.pop_back();
  const int base = lua_gettop(L);
  if (session.load(code) != Session::Loaded::kYes) {
    const std::string message = text_of(L, -1);
    lua_settop(L, base);
    return {{"ok", false}, {"error", message}, {"interrupted", false}};
  }
  const auto [outcome, count, ms] = session.run();
  Json reply{{"ok", outcome.ok}, {"data", nullptr}};
  if (!outcome.ok) {
    reply["error"] = outcome.message;
    reply["interrupted"] = outcome.signal != 0;
  } else if (count > 0 && !quiet) {
    reply["data"] = data_of(L, session, count);
  }
  lua_settop(L, base);
  return reply;
}

Json complete_text(lua_State* L, const Session& session, const std::string& text) {
  const Completions found = complete(L, text, session.variables());
  return {{"start", found.start}, {"words", found.words}};
}

Json inspect(lua_State* L, Session& session, const std::string& name) {
  push(L, name);
  if (!session.call_library("imatch.doc", "text", 1, 1)) return {{"text", nullptr}};
  const Json text = to_json(L, -1, "text");
  lua_pop(L, 1);
  return {{"text", text}};
}

Json state_of(lua_State* L, Session& session, const std::string& code) {
  const Session::Loaded loaded = session.load(code);
  lua_pop(L, 1);
  return {{"status", loaded == Session::Loaded::kYes          ? "complete"
                     : loaded == Session::Loaded::kIncomplete ? "incomplete"
                                                              : "invalid"}};
}

Json answer(lua_State* L, Session& session, const Json& request) {
  const auto text = [&](const char* key) { return request.at(key).get<std::string>(); };
  if (request.contains("execute")) return execute(L, session, text("execute"));
  if (request.contains("complete")) return complete_text(L, session, text("complete"));
  if (request.contains("inspect")) return inspect(L, session, text("inspect"));
  if (request.contains("is_complete")) return state_of(L, session, text("is_complete"));
  throw Error("request: expected execute, complete, inspect or is_complete");
}

}  // namespace

int png_base64(lua_State* L) {
  return push(L, base64(encode_image(arg<Image>(L, 1), ".png")));
}

int serve_notebook(lua_State* L) {
  const PatientStop patient;  // an interrupt ends a cell, not the session
  const File requests = open_descriptor(L, 1, "r"), replies = open_descriptor(L, 2, "w");
  lua_settop(L, 0);
  Session session(L, false);
  lua_pushlightuserdata(L, replies.get());
  lua_pushcclosure(L, guarded<display>, 1);
  session.call_library("imatch.notebook", "show_with", 1);
  char* line = nullptr;
  std::size_t size = 0;
  const auto free_line = [](char** text) { std::free(*text); };
  const std::unique_ptr<char*, decltype(free_line)> owner(&line, free_line);
  while (::getline(&line, &size, requests.get()) > 0)
    send(replies.get(), answer(L, session, parse_json(line, "notebook")));
  return 0;
}

}  // namespace imatch::host
