// SPDX-License-Identifier: Apache-2.0
//
// What happens where C++ and Lua meet. Each case was measured on LuaJIT first; these keep it so.
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>

#include <csignal>
#include <new>
#include "catch.h"

#include "base/error.h"
#include "bind/types.h"
#include "binding.h"
#include "interrupt.h"
#include "memory.h"
#include "state.h"

namespace imatch::host {
namespace {

int destroyed = 0;
struct Counted {
  ~Counted() { ++destroyed; }
};

int lua_error_with_locals(lua_State* L) {
  const Counted a, b;
  return luaL_error(L, "%s", "from Lua");
}
int throw_error(lua_State*) {
  const Counted a;
  throw Error("size: 0 is not allowed; expected >= 1");
}
int throw_failure(lua_State*) {
  throw Failure("not_found", "a.jpg: no such file");
}
int throw_interrupted(lua_State*) {
  throw Interrupted();
}
int throw_percent(lua_State*) {
  throw Error("100%s %d");
}
int wrong_shapes(lua_State*) {
  at::ones({2, 3}).matmul(at::ones({2, 3}));
  return 0;
}
int call_back(lua_State* L) {
  const Counted a;
  lua_pushvalue(L, 1);
  lua_call(L, 0, 0);
  return 0;
}
int allocations_tried = 0;
int always_out_of_memory(lua_State*) {
  ++allocations_tried;
  throw std::bad_alloc();
}
int integer_1_to_10(lua_State* L) {
  return push(L, check_integer(L, 1, 1, 10));
}
int text(lua_State* L) {
  return push(L, check_string(L, 1));
}
int number(lua_State* L) {
  return push(L, check_number(L, 1));
}
int tensor_10mb(lua_State* L) {
  return push(L, at::empty({10 * 1024 * 256}));
}
int raise_sigint(lua_State*) {
  std::raise(SIGINT);
  return 0;
}

/// A state with the functions above as globals, and one line of code run in it.
struct Lua {
  State state;
  lua_State* L = state.get();
  Lua() {
    set<lua_error_with_locals>("lua_error_with_locals");
    set<throw_error>("throw_error");
    set<throw_failure>("throw_failure");
    set<throw_interrupted>("throw_interrupted");
    set<throw_percent>("throw_percent");
    set<wrong_shapes>("wrong_shapes");
    set<call_back>("call_back");
    set<always_out_of_memory>("always_out_of_memory");
    set<integer_1_to_10>("integer_1_to_10");
    set<text>("text");
    set<number>("number");
    set<tensor_10mb>("tensor_10mb");
    set<raise_sigint>("raise_sigint");
    push_native(L);
    lua_setglobal(L, "im");
  }
  template <lua_CFunction fn>
  void set(const char* name) {
    lua_pushcfunction(L, guarded<fn>);
    lua_setglobal(L, name);
  }
  /// The text of the single result, or "error: " and the message without traceback.
  std::string run(const std::string& code) {
    REQUIRE(load_user_code(L, code, "=test"));
    const Outcome outcome = call(L, 0, 1);
    if (!outcome.ok) return "error: " + outcome.message.substr(0, outcome.message.find('\n'));
    std::string result = text_of(L, -1);
    lua_pop(L, 1);
    return result;
  }
};

TEST_CASE("errors arrive with their text and the caller's line, and destructors have run") {
  Lua lua;
  destroyed = 0;
  CHECK(lua.run("\nlua_error_with_locals()") == "error: test:2: from Lua");
  CHECK(destroyed == 2);
  CHECK(lua.run("\n\nthrow_error()") == "error: test:3: size: 0 is not allowed; expected >= 1");
  CHECK(destroyed == 3);
  CHECK(lua.run("throw_percent()") == "error: test:1: 100%s %d");
  CHECK(lua.run("throw_interrupted()") == "error: test:1: interrupted");
  CHECK(lua.run("wrong_shapes()") ==
        "error: test:1: mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)");
  CHECK(lua.run("return select(2, pcall(throw_error))") == "test:1: size: 0 is not allowed; expected >= 1");
  CHECK(lua.run("local function f() return throw_error() end\n\nf()") ==
        "error: test:3: size: 0 is not allowed; expected >= 1");
}

TEST_CASE("an error keeps its traceback") {
  Lua lua;
  REQUIRE(load_user_code(lua.L, "local function inner() throw_error() end\ninner()", "=test"));
  const Outcome outcome = call(lua.L, 0, 0);
  CHECK_THAT(outcome.message, Catch::Contains("stack traceback") && Catch::Contains("in function 'inner'"));
}

TEST_CASE("an expected failure returns nil, message, code") {
  Lua lua;
  CHECK(lua.run("local a, b, c = throw_failure() return tostring(a) .. '|' .. b .. '|' .. c") ==
        "nil|a.jpg: no such file|not_found");
  CHECK(lua.run("assert(throw_failure())") == "error: test:1: a.jpg: no such file");
}

TEST_CASE("an error inside a callback passes through C++") {
  Lua lua;
  destroyed = 0;
  CHECK(lua.run("call_back(function() error('inside', 0) end)") == "error: inside");
  CHECK(lua.run("call_back(throw_error)") == "error: test:1: size: 0 is not allowed; expected >= 1");
  CHECK(destroyed == 3);
  CHECK(lua.run("local e = setmetatable({}, {__tostring = function() return 'object' end}) error(e)") ==
        "error: object");
  CHECK(lua.run("error()") == "error: (error object is a nil value)");
  CHECK(lua.run("local co = coroutine.create(throw_error) local _, m = coroutine.resume(co) return m") ==
        "size: 0 is not allowed; expected >= 1");
}

TEST_CASE("memory exhaustion collects and tries once more") {
  Lua lua;
  allocations_tried = 0;
  CHECK(lua.run("always_out_of_memory()") == "error: test:1: out of memory");
  CHECK(allocations_tried == 2);
}

TEST_CASE("numbers are taken as they are or not at all") {
  Lua lua;
  CHECK(lua.run("return integer_1_to_10(10)") == "10");
  for (const char* wrong :
       {"0", "11", "1.5", "0/0", "1/0", "1e300", "'5'", "nil", "true", "{}", "print", ""}) {
    INFO(wrong);
    CHECK_THAT(lua.run(std::string("integer_1_to_10(") + wrong + ")"),
               Catch::StartsWith("error: test:1: argument 1 must be an integer in [1, 10], got "));
  }
  CHECK_THAT(lua.run("text(5)"), Catch::EndsWith("argument 1 must be text, got 5"));
  CHECK_THAT(lua.run("number(0/0)"), Catch::Contains("must be a finite number, got "));
  CHECK_THAT(lua.run("number('1')"), Catch::EndsWith("argument 1 must be a finite number, got '1'"));
}

TEST_CASE("handles are told apart and closed once") {
  Lua lua;
  CHECK(lua.run("local i = im.image.new(4, 4) i:close() i:close() return tostring(i)") == "Image (closed)");
  CHECK(lua.run("local i = im.image.new(4, 4) i:close() i:width()") ==
        "error: test:1: Image:width: Image is closed");
  CHECK(lua.run("im.image.new(4, 4).width(io.stdout)") ==
        "error: test:1: Image:width: the object before ':' must be Image, got userdata");
  CHECK(lua.run("im.image.new(4, 4).width(im.tensor.from_table{1})") ==
        "error: test:1: Image:width: the object before ':' must be Image, got Tensor");
  CHECK(lua.run("im.image.new(4, 4).close(io.stdout)") ==
        "error: test:1: Image:close: the object before ':' must be an object with close(), got userdata");
  CHECK(lua.run("return getmetatable(im.image.new(4, 4))") == "Image");
}

/// Every method of every type refuses every foreign receiver instead of reading its memory.
TEST_CASE("no method accepts a foreign userdata") {
  Lua lua;
  int checked = 0;
  for (const Module* module : modules())
    for (const Type& type : module->types)
      for (const Binding& method : type.methods) {
        for (const char* receiver : {"io.stdout", "newproxy(true)", "42", "{}", "nil"}) {
          INFO(type.name << ":" << method.name << " on " << receiver);
          lua_pushcfunction(lua.L, method.function());
          lua_setglobal(lua.L, "method");
          // A method may look at its second argument first, which is missing here.
          CHECK_THAT(lua.run(std::string("method(") + receiver + ")"),
                     Catch::StartsWith("error: test:1: argument "));
        }
        ++checked;
      }
  CHECK(checked > 10);
}

TEST_CASE("a scope closes what was opened inside, except its results") {
  Lua lua;
  CHECK(
      lua.run(
          "local kept; local r = im.scope(function() kept = im.image.new(4, 4) return im.image.new(5, 5) end)"
          "return tostring(kept) .. ' ' .. tostring(r)") == "Image (closed) Image(5x5)");
  CHECK(lua.run("local kept; pcall(im.scope, function() kept = im.image.new(4, 4) error('x') end) return "
                "tostring(kept)") == "Image (closed)");
  CHECK(lua.run("local a, b; im.scope(function() b = im.scope(function() return im.image.new(4, 4) end) a = "
                "tostring(b) end)"
                "return a .. ' ' .. tostring(b)") == "Image(4x4) Image (closed)");
}

TEST_CASE("ten thousand dead tensors stay under the limit") {
  Lua lua;
  std::size_t peak = 0;
  REQUIRE(load_user_code(lua.L, "for i = 1, 100 do tensor_10mb() end", "=test"));
  for (int round = 0; round < 100; ++round) {
    lua_pushvalue(lua.L, -1);
    REQUIRE(call(lua.L, 0, 0).ok);
    peak = std::max(peak, external_bytes());
  }
  CHECK(peak < (std::size_t{1} << 30));
}

TEST_CASE("Ctrl-C stops every kind of loop and the state lives on") {
  Lua lua;
  const InterruptGuard guard(lua.L);
  // The signal arrives from inside for determinism; tests/host/interrupt_test.sh sends it from outside.
  const std::string loops[] = {
      "raise_sigint() while true do end",
      "raise_sigint() while true do text('x') end",
      "raise_sigint() while true do pcall(text, 'x') end",
      "raise_sigint() while true do pcall(function() while true do end end) end",
      "raise_sigint() local co = coroutine.wrap(function() while true do end end) while true do pcall(co) "
      "end",
      "raise_sigint() while true do xpcall(function() while true do end end, function(m) return m end) end",
  };
  for (const std::string& loop : loops) {
    INFO(loop);
    REQUIRE(load_user_code(lua.L, loop, "=test"));
    const Outcome outcome = call(lua.L, 0, 0);
    CHECK_FALSE(outcome.ok);
    CHECK(outcome.signal == SIGINT);
    CHECK(outcome.exit_status() == 130);
    CHECK(lua.run("return 1 + 1") == "2");
  }
}

TEST_CASE("tables become values and come back") {
  Lua lua;
  lua.run("value = {a = {1, 2, 3}, b = {c = 'text', d = true, e = 1.5}, empty = {}}");
  lua_getglobal(lua.L, "value");
  const Json value = to_json(lua.L, -1);
  CHECK(value.dump() == R"({"a":[1,2,3],"b":{"c":"text","d":true,"e":1.5},"empty":{}})");
  push_json(lua.L, value);
  CHECK(to_json(lua.L, -1) == value);
  lua_settop(lua.L, 0);
  for (const char* wrong :
       {"{1, 2, a = 3}", "{print}", "{[1.5] = 1}", "(function() local t = {} t.t = t return t end)()"}) {
    INFO(wrong);
    lua.run(std::string("value = ") + wrong);
    lua_getglobal(lua.L, "value");
    CHECK_THROWS_AS(to_json(lua.L, -1), Error);
    lua_settop(lua.L, 0);
  }
}

}  // namespace
}  // namespace imatch::host
