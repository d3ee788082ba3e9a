-- imatch-lua tests/specs/run.lua SPEC.lua [gc]: runs one spec file; with `gc`, under the most aggressive collector.
local spec = require "imatch.spec"

local file, mode = ...
if not file then
  print "usage: imatch-lua tests/specs/run.lua SPEC.lua [gc]"
  os.exit(2)
end
if mode == "gc" then
  jit.off() -- a compiled loop that allocates runs a whole collection at every step: minutes instead of seconds
  collectgarbage("setpause", 0)
  collectgarbage("setstepmul", 1000000)
end
im = require "imatch"
dofile(file)
spec.finish()
