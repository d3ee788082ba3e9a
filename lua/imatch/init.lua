-- The library: `local im = require "imatch"`. What is native comes from the program itself; what reads better in Lua
-- stands in the modules beside this file.
local native = require "imatch.native"
local readers = require "imatch.readers"

local im = {}
for name, value in pairs(native) do
  im[name] = type(value) == "table" and readers.noting_all(value) or value
end
im.documentation, im.methods, im.overview, im.internal = nil, nil, nil, nil

im.view = require("imatch.view").open
im.memoize = require("imatch.memoize").memoize
im.stopwatch = require("imatch.stopwatch").stopwatch
im.arguments = require("imatch.cli").script_parser
im.params = require("imatch.overrides").params
im.sweep = require("imatch.sweep").sweep
im.range = require("imatch.range").range
im.linspace = require("imatch.range").linspace
im.logspace = require("imatch.range").logspace
im.choice = require("imatch.range").choice
im.combinations = require("imatch.range").combinations
im.points = readers.noting(require("imatch.points").points)
im.repl = require("imatch.repl").repl
im.preview = require("imatch.preview").preview
im.doc = require "imatch.doc"
im.inspect = require "imatch.inspect"

-- What is not there is a slip of the pen: an error at once says so, and what may have been meant.
for name, value in pairs(im) do
  if type(value) == "table" and not getmetatable(value) then
    native.internal.strict(value, "im." .. name)
  end
end
return native.internal.strict(im, "im")
