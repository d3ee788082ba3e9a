-- Values of an axis.
local native = require "imatch.native"

local M = {}

local function check(name, value, what)
  if type(value) ~= "number" or value ~= value or math.abs(value) == math.huge then
    native.internal.raise(("%s: expected a finite number, got %s"):format(name, tostring(value)))
  end
  if what == "count" and (value < 1 or value ~= math.floor(value)) then
    native.internal.raise(("%s: expected an integer >= 1, got %s"):format(name, tostring(value)))
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
    native.internal.raise("range: step is 0; expected any other number")
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
    native.internal.raise(("logspace: from %s to %s; expected numbers above 0"):format(low, high))
  end
  local values = { low }
  for i = 1, n - 1 do
    values[i + 1] = i == n - 1 and high or low * (high / low) ^ (i / (n - 1))
  end
  return values
end

--- n different values drawn at random. The draw depends on the seed alone, and a larger n keeps what a smaller one drew.
---@param from table a list of values; or { low =, high = [, scale = 'linear' or 'log'] [, integer = boolean] }
---@param n integer
---@param seed integer? default 0
---@return table values
function M.choice(from, n, seed)
  if type(from) ~= "table" then
    native.internal.raise(("choice: expected a list of values or { low =, high = }, got %s"):format(tostring(from)))
  end
  check("choice: n", n, "count")
  seed = check("choice: seed", seed == nil and 0 or seed)
  local num_drawn = 0
  --- A number in [0, 1), the next of a sequence that only the seed decides.
  local function draw()
    num_drawn = num_drawn + 1
    return tonumber(native.run.key { seed, num_drawn }:sub(1, 13), 16) / 2 ^ 52
  end
  local values = {}
  if #from > 0 then
    local left = {}
    for i, value in ipairs(from) do
      left[i] = value
    end
    for i = 1, math.min(n, #from) do
      values[i] = table.remove(left, 1 + math.floor(draw() * #left))
    end
    return values
  end
  for name in pairs(from) do
    if not ({ low = true, high = true, scale = true, integer = true })[name] then
      native.internal.raise(("choice: unknown option '%s'; known: low, high, scale, integer"):format(tostring(name)))
    end
  end
  local low, high, scale = check("choice: low", from.low), check("choice: high", from.high), from.scale or "linear"
  if low > high then
    native.internal.raise(("choice: low is %s, above high, %s"):format(low, high))
  elseif scale ~= "linear" and scale ~= "log" then
    native.internal.raise(("choice: scale is '%s'; expected 'linear' or 'log'"):format(tostring(scale)))
  elseif scale == "log" and low <= 0 then
    native.internal.raise(("choice: low is %s; a logarithmic scale needs numbers above 0"):format(low))
  end
  local is_drawn = {}
  local num_values = from.integer and math.floor(high) - math.ceil(low) + 1 or math.huge
  while #values < math.min(n, num_values) and (low < high or #values == 0) do
    local share = draw()
    local value = scale == "log" and low * (high / low) ^ share or low + (high - low) * share
    if from.integer then
      local first, last = math.ceil(low), math.floor(high) + 1
      value = math.floor(scale == "log" and first * (last / first) ^ share or first + (last - first) * share)
    end
    if not is_drawn[value] then
      is_drawn[value] = true
      values[#values + 1] = value
    end
  end
  return values
end

--- Every combination of the options of a table: those that are lists are taken one value at a time.
---@param options table { name = value or list of values, ... }
---@return table[]
function M.combinations(options)
  if type(options) ~= "table" or #options > 0 then
    native.internal.raise("combinations: expected a table of options by name")
  end
  local names = {}
  for name in pairs(options) do
    names[#names + 1] = name
  end
  table.sort(names)
  local tables = { {} }
  for _, name in ipairs(names) do
    local values, longer = options[name], {}
    if type(values) ~= "table" or #values == 0 then
      values = { values }
    end
    for _, shorter in ipairs(tables) do
      for _, value in ipairs(values) do
        local copy = { [name] = value }
        for key, known in pairs(shorter) do
          copy[key] = known
        end
        longer[#longer + 1] = copy
      end
    end
    tables = longer
  end
  return tables
end

M.documentation = {
  choice = {
    signature = "choice(from, n [, seed]) -> list",
    text = "n different values drawn at random: from a list, or from { low =, high = } evenly, with scale = 'log' by their "
      .. "logarithm, with integer = true whole numbers. Fewer where there are not as many. Only the seed (default 0) decides, "
      .. "and a larger n keeps what a smaller one drew.",
    example = "print(#im.choice({ low = 0.001, high = 1, scale = 'log' }, 5)) --> 5",
  },
  combinations = {
    signature = "combinations(options) -> list of tables",
    text = "Every combination of options whose values are lists, as tables: a backbone with options of its own is one value of "
      .. "an axis.",
    example = "print(#im.combinations { name = 'dense_sift', step = { 8, 16 } }) --> 2",
  },
  range = {
    signature = "range(low, high [, step]) -> list",
    text = "low, low + step, ... up to high, which is among them when it is a whole number of steps away; step (default 1) "
      .. "may be negative.",
    example = "print(#im.range(0, 315, 45)) --> 8",
  },
  linspace = {
    signature = "linspace(low, high, n) -> list",
    text = "n numbers from low to high, both among them, evenly spaced.",
    example = "print(im.linspace(0, 1, 5)[2]) --> 0.25",
  },
  logspace = {
    signature = "logspace(low, high, n) -> list",
    text = "n numbers from low to high, both among them and above 0, each the same multiple of the one before.",
    example = "print(im.logspace(1, 1000, 4)[3]) --> 100",
  },
}

return M
