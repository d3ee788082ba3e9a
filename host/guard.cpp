// SPDX-License-Identifier: Apache-2.0
#include "guard.h"

#include <c10/util/Exception.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <new>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "base/error.h"
#include "base/mapped_memory.h"
#include "base/stop.h"
#include "source.h"
#include "stack.h"

namespace imatch::host {
namespace {

/// What could not be had. LibTorch's CPU allocator reports exhaustion as a plain c10::Error.
std::optional<std::string> out_of_memory_text(const c10::Error& error) {
  const std::string text = error.what_without_backtrace();
  if (dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr) return "out of memory: " + text;
  if (text.find("DefaultCPUAllocator: can't allocate") == text.npos) return std::nullopt;
  constexpr std::string_view kBeforeBytes = "you tried to allocate ";
  const std::size_t at = text.find(kBeforeBytes);
  const double bytes = at == text.npos ? 0 : std::atof(text.c_str() + at + kBeforeBytes.size());
  if (bytes <= 0) return "out of memory";
  return bytes < 1e9 ? fmt::format("out of memory: another {:.1f} MB were not to be had", bytes / 1e6)
                     : fmt::format("out of memory: another {:.1f} GB were not to be had", bytes / 1e9);
}

/// What a bound function is called stands in its first upvalue.
std::string with_function(lua_State* L, const std::string& message) {
  if (lua_type(L, lua_upvalueindex(1)) != LUA_TSTRING) return message;
  return fmt::format("{}: {}", lua_tostring(L, lua_upvalueindex(1)), message);
}

/// Whether no further file can be opened: objects that nobody uses any more may hold some open.
bool out_of_descriptors() {
  const int descriptor = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (descriptor >= 0) ::close(descriptor);
  return descriptor < 0 && errno == EMFILE;
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

std::string& plain_message() {
  static std::string message;
  return message;
}

}  // namespace

const std::string& last_plain_message() {
  return plain_message();
}

int run_guarded(lua_State* L, lua_CFunction fn) {
  const int top = lua_gettop(L);
  for (bool retried = false;; retried = true) {
    std::string message;
    std::string code;
    bool exhausted = false;
    // lua_error is called after the catch blocks, so that the exception object is gone before the stack
    // unwinds.
    try {
      check_stop();
      const int num_results = fn(L);
      require_whole_mappings();
      return num_results;
    } catch (const Interrupted& interrupted) {
      message = interrupted.what();
    } catch (const Failure& failure) {
      message = failure.what();
      code = failure.code();
      exhausted = !retried && out_of_descriptors();
    } catch (const ArgumentError& error) {
      message = plain_message() = described(L, error);
    } catch (const Error& error) {
      message = plain_message() = error.what();
    } catch (const c10::Error& error) {
      const std::optional<std::string> text = out_of_memory_text(error);
      exhausted = text.has_value();
      message = text ? with_function(L, *text) : error.what_without_backtrace();
      if (text) plain_message() = message;
    } catch (const std::bad_alloc&) {
      message = plain_message() = with_function(L, "out of memory");
      exhausted = true;
    } catch (const std::exception& error) {
      message = error.what();
    }
    if (exhausted && !retried && lua_gettop(L) >= top) {
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
