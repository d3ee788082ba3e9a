-- imatch-lua sweep: plans, runs, looks at and compares sweeps.
local on_folder = require "imatch.sweep.on_folder"
local on_script = require "imatch.sweep.on_script"
local parser = require "imatch.sweep.parser"

local own_words, script_words = on_script.split({ ... }, parser.takes_value)
local arguments = parser:parse(own_words)
if on_script.actions[arguments.action] then
  on_script.act(arguments, { own = own_words, script = script_words, num_given = select("#", ...) })
else
  on_folder.act(arguments)
end
