-- Checks of lua/, experiments/ and tests/specs/ (`cmake --build build --target lint`).
std = "luajit"
max_line_length = 120
-- `local ok, message = f()` with one of them unused is how Lua reads; unused arguments document a callback's shape.
unused_args = false
files["lua/imatch/_meta"] = { ignore = { ".*" } }  -- generated type annotations, never run
