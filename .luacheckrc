-- Checks of lua/, experiments/ and tests/specs/ (`cmake --build build --target lint`).
std = "luajit"
max_line_length = 130
-- `local ok, message = f()` with one of them unused is how Lua reads; unused arguments document a callback's shape.
unused_args = false
ignore = { "581" }  -- not (x <= y): true for NaN, unlike x > y
files["tests/specs"] = { globals = { "im" } }  -- set by tests/specs/run.lua
files["lua/imatch/_meta"] = { ignore = { ".*" } }  -- generated type annotations, never run
