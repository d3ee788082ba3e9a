-- Remembers the last results of a function of plain values: for views, worlds and other things that several cells of a
-- sweep share.
local native = require "imatch.native"
local stopwatch = require("imatch.stopwatch").stopwatch

local M = {}

--- Returns a function that gives the same results as `fn` and remembers the last `size` of them (default 16).
--- Arguments are numbers, strings, booleans or nil. Whoever calls it must not close what it returns. A result that is handed
--- out again counts as its first making took (imatch.stopwatch).
---@param fn function
---@param size integer?
---@return function
function M.memoize(fn, size)
  size = size or 16
  local results, order = {}, {}
  return function(...)
    local parts = {}
    for i = 1, select("#", ...) do
      local value = select(i, ...)
      if type(value) == "table" or type(value) == "function" or type(value) == "userdata" then
        error(("memoize: argument #%d is a %s; expected a number, text, boolean or nil"):format(i, type(value)), 2)
      end
      parts[i] = type(value):sub(1, 1) .. tostring(value)
    end
    local key = table.concat(parts, "\0")
    local result = results[key]
    if not result then
      result = { n = 0 }
      local function keep(...)
        result.n = select("#", ...)
        for i = 1, result.n do
          result[i] = (select(i, ...))
        end
      end
      local watch = stopwatch()
      keep(fn(...))
      result.made_ms = watch:time_ms()
      results[key] = result
      order[#order + 1] = key
      if #order > size then
        results[table.remove(order, 1)] = nil
      end
    else
      native.note_saved_ms(result.made_ms)
    end
    return unpack(result, 1, result.n)
  end
end

M.documentation = {
  memoize = {
    signature = "memoize(function [, size]) -> function",
    text = "A function that gives the same results and remembers the last `size` of them (default 16). Its arguments are "
      .. "numbers, strings, booleans or nil. Nobody may close what it returns.",
    example = "local square = im.memoize(function(x) return x * x end); print(square(3)) --> 9",
  },
}

return M
