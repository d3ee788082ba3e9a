// SPDX-License-Identifier: Apache-2.0
#include "guard.h"

#include <c10/util/Exception.h>

#include <new>
#include <string>

#include <fmt/format.h>

#include "base/error.h"
#include "base/stop.h"
#include "source.h"
#include "stack.h"

namespace imatch::host {
namespace {

/// LibTorch's CPU allocator reports exhaustion as a plain c10::Error.
bool is_out_of_memory(const c10::Error& error) {
  return dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr ||
         std::string_view(error.what_without_backtrace()).find("DefaultCPUAllocator: can't allocate") !=
             std::string_view::npos;
}

/// "match.geometry: argument 1 must be Matches, got nil". What a bound function is called stands in its first
/// upvalue; the arguments of a method are counted behind its object.
std::string described(lua_State* L, const ArgumentError& error) {
  if (lua_type(L, lua_upvalueindex(1)) != LUA_TSTRING) return error.what();
  const std::string_view name = lua_tostring(L, lua_upvalueindex(1));
  const bool is_method = name.find(':') != name.npos;
  if (is_method && error.index() == 1)
    return fmt::format("{}{}{}", name, error.problem()[0] == ':' ? "" : ": the object before ':'",
                       error.problem());
  return fmt::format("{}: argument {}{}", name, error.index() - is_method, error.problem());
}

std::string& misuse() {
  static std::string message;
  return message;
}

}  // namespace

const std::string& last_misuse() {
  return misuse();
}

int run_guarded(lua_State* L, lua_CFunction fn) {
  const int top = lua_gettop(L);
  for (bool retried = false;; retried = true) {
    std::string message;
    std::string code;
    bool out_of_memory = false;
    // lua_error is called after the catch blocks, so that the exception object is gone before the stack
    // unwinds.
    try {
      check_stop();
      return fn(L);
    } catch (const Interrupted& interrupted) {
      message = interrupted.what();
    } catch (const Failure& failure) {
      message = failure.what();
      code = failure.code();
    } catch (const ArgumentError& error) {
      message = misuse() = described(L, error);
    } catch (const Error& error) {
      message = misuse() = error.what();
    } catch (const c10::Error& error) {
      message = error.what_without_backtrace();
      out_of_memory = is_out_of_memory(error);
    } catch (const std::bad_alloc&) {
      message = "out of memory";
      out_of_memory = true;
    } catch (const std::exception& error) {
      message = error.what();
    }
    if (out_of_memory && !retried && lua_gettop(L) >= top) {
      lua_settop(L, top);
      lua_gc(L, LUA_GCCOLLECT, 0);
      continue;
    }
    if (!code.empty()) {
      lua_settop(L, 0);
      lua_pushnil(L);
      lua_pushlstring(L, message.data(), message.size());
      lua_pushlstring(L, code.data(), code.size());
      return 3;
    }
    push_where(L);
    lua_pushlstring(L, message.data(), message.size());
    lua_concat(L, 2);
    return lua_error(L);
  }
}

}  // namespace imatch::host
