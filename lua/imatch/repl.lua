-- An interactive session inside of a running script.
local native = require "imatch.native"

local M = {}

--- Stops here and lets a person look: the local variables of the caller, and those its function uses from outside, are
--- variables of the session, and what is assigned to them there they hold when the script goes on.
function M.repl()
  local places, variables = {}, {}
  local caller = debug.getinfo(2, "f").func
  for i = 1, 255 do
    local name, value = debug.getupvalue(caller, i)
    if not name then
      break
    end
    if name:find "^[%a_]" and name ~= "_" then
      places[name] = { index = i, is_upvalue = true }
      variables[name] = value
    end
  end
  for i = 1, 255 do -- a later local hides an earlier one of that name
    local name, value = debug.getlocal(2, i)
    if not name then
      break
    end
    if name:find "^[%a_]" and name ~= "_" then
      places[name] = { index = i }
      variables[name] = value
    end
  end
  local names = {} -- a variable that is nil, or becomes so, must not fall through to a global
  for name in pairs(places) do
    names[#names + 1] = name
  end
  native.session(variables, names)
  for name, place in pairs(places) do
    local value = rawget(variables, name)
    if place.is_upvalue then
      debug.setupvalue(caller, place.index, value)
    else
      debug.setlocal(2, place.index, value)
    end
  end
end

M.documentation = {
  repl = {
    signature = "repl()",
    text = "Stops here and lets a person look: an interactive session in which the local variables of the calling function are "
      .. "variables. What is assigned to them stays when Ctrl-D lets the script go on.",
    example = "local x = 1\nif im.is_terminal() then im.repl() end\nprint(x) --> 1",
  },
}

return M
