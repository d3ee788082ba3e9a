-- Values of an axis.
local M = {}

local function check(name, value, what)
  if type(value) ~= "number" or value ~= value or math.abs(value) == math.huge then
    error(("%s: expected a finite number, got %s"):format(name, tostring(value)), 3)
  end
  if what == "count" and (value < 1 or value ~= math.floor(value)) then
    error(("%s: expected an integer >= 1, got %s"):format(name, tostring(value)), 3)
  end
  return value
end

--- low, low + step, ... up to high, which is among them when it is a whole number of steps away.
---@param low number
---@param high number
---@param step number? default 1; negative to count down
---@return number[]
function M.range(low, high, step)
  check("range: low", low)
  check("range: high", high)
  step = check("range: step", step == nil and 1 or step)
  if step == 0 then
    error("range: step is 0; expected any other number", 2)
  end
  local values = {}
  -- Counted, not added up: 0.1 + 0.1 + ... drifts. The slack takes in a last value that rounding pushed out.
  for i = 0, math.floor((high - low) / step + 1e-9) do
    values[i + 1] = low + i * step
  end
  return values
end

--- n numbers from low to high, both among them, evenly spaced.
---@param low number
---@param high number
---@param n integer
---@return number[]
function M.linspace(low, high, n)
  check("linspace: low", low)
  check("linspace: high", high)
  check("linspace: n", n, "count")
  local values = { low }
  for i = 1, n - 1 do
    values[i + 1] = i == n - 1 and high or low + (high - low) * i / (n - 1)
  end
  return values
end

--- n numbers from low to high, both among them and above 0, each the same multiple of the one before.
---@param low number
---@param high number
---@param n integer
---@return number[]
function M.logspace(low, high, n)
  check("logspace: low", low)
  check("logspace: high", high)
  check("logspace: n", n, "count")
  if low <= 0 or high <= 0 then
    error(("logspace: from %s to %s; expected numbers above 0"):format(low, high), 2)
  end
  local values = { low }
  for i = 1, n - 1 do
    values[i + 1] = i == n - 1 and high or low * (high / low) ^ (i / (n - 1))
  end
  return values
end

M.documentation = {
  range = {
    signature = "range(low, high [, step]) -> list",
    text = "low, low + step, ... up to high, which is among them when it is a whole number of steps away; step (default 1) "
      .. "may be negative.",
    example = "print(#im.range(0, 315, 45))",
  },
  linspace = {
    signature = "linspace(low, high, n) -> list",
    text = "n numbers from low to high, both among them, evenly spaced.",
    example = "print(im.linspace(0, 1, 5)[2])",
  },
  logspace = {
    signature = "logspace(low, high, n) -> list",
    text = "n numbers from low to high, both among them and above 0, each the same multiple of the one before.",
    example = "print(im.logspace(1, 1000, 4)[3])",
  },
}

return M
