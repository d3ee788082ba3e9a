-- What a measurement costs by itself, and what it has cost here.
--
-- A stage whose results are kept is timed where it is computed: features carry their time in the cache, and so do products of
-- features and what im.memoize remembers. Without that, the first of a row of thresholds would pay for all others.
local native = require "imatch.native"

local M = {}

local Stopwatch = {}
Stopwatch.__index = Stopwatch

--- Milliseconds since the start.
---@return number
function Stopwatch:time_spent_ms()
  return 1000 * (native.now() - self.start)
end

--- Milliseconds since the start as if nothing had been kept: with the time of all results that came from a cache.
---@return number
function Stopwatch:time_ms()
  return self:time_spent_ms() + native.saved_ms() - self.saved
end

--- Starts to measure.
---@return table { time_ms = method, time_spent_ms = method }
function M.stopwatch()
  return setmetatable({ start = native.now(), saved = native.saved_ms() }, Stopwatch)
end

M.documentation = {
  stopwatch = {
    signature = "stopwatch() -> Stopwatch",
    text = "Starts to measure. watch:time_spent_ms() is the time since then; watch:time_ms() is the time that it would have been "
      .. "if nothing had come from a cache (features, products of features, im.memoize): the cost of a cell by itself, whoever "
      .. "filled the caches. Qualities are compared with the latter.",
    example = "local watch = im.stopwatch()\nim.note_saved_ms(1000)\n"
      .. "print(watch:time_ms() >= 1000 and watch:time_spent_ms() < 1000) --> true",
  },
}

return M
