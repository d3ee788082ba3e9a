// SPDX-License-Identifier: Apache-2.0
#include "session_text.h"

#include "catch.h"

namespace imatch::host {
namespace {

using Names = std::vector<std::string>;

TEST_CASE("a local outside of blocks becomes a variable of the session") {
  CHECK(session_text("local x = 1").code == "      x = 1");
  CHECK(session_text("local x = 1").declared == Names{"x"});
  CHECK(session_text("local a, b = f()").declared == Names{"a", "b"});
  CHECK(session_text("local a, b").code == "      a, b = nil");
  CHECK(session_text("local a; local b = 2").code == "      a = nil;       b = 2");
  CHECK(session_text("local function f(n) local m = n return m end").code ==
        "      function f(n) local m = n return m end");
  CHECK(session_text("local function f() end local after = 1").declared == Names{"f", "after"});
  CHECK(session_text("x = function() local inner end local y = 1").declared == Names{"y"});
}

TEST_CASE("locals of blocks, words in texts and comments are left alone") {
  for (const char* text :
       {"do local x = 1 end", "for i = 1, 3 do local y = i end", "if a then local b = 1 end",
        "while true do local z end", "repeat local q = 1 until q", "print 'local x = 1'",
        "s = [[local x = 1]]", "-- local x = 1", "--[==[ local x = 1 ]==]", "s = \"a\\\"local x = 1\"",
        "f(function() local x = 1 end)", "localx = 1", "local", "local 5", "local function"}) {
    INFO(text);
    CHECK(session_text(text).code == text);
  }
  CHECK(session_text("s = 'end' local x = 1").declared == Names{"x"});
  CHECK(session_text("-- a\nlocal x = 1").code == "-- a\n      x = 1");
}

}  // namespace
}  // namespace imatch::host
