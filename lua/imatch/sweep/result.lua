-- What im.sweep returns: the rows of a run, and what can be said of them.
local native = require "imatch.native"
local words = require "imatch.sweep.words"

jit.off(true, true) -- compiled traces would keep runs alive

local Result = {}

function Result.__index(result, name)
  if name == "rows" then -- made when asked for: a cached run of 100,000 cells has better things to do
    local rows = result.run:rows()
    rawset(result, "rows", rows)
    return rows
  end
  return Result[name]
end

function Result.__tostring(result)
  return ("SweepResult(%s, %d cells: %d run, %d cached, %d failed)"):format(result.run:path(), result.num_cells, result.num_run,
    result.num_cached, result.num_failed)
end

--- The run folder.
function Result:path()
  return self.run:path()
end

--- Best cell and best setting; options as `best` of the sweep, which are the default.
function Result:best(options)
  options = options or self.best_options
  if not options then
    error("best: the sweep has no `best`; expected { metric = , direction = }", 2)
  end
  return self.run:best(options)
end

--- The metric over all cells that agree in the axes named: { { axis = , mean = , std = , value = , low = , high = , ... },
--- ... }. value: the statistic that the options name, the mean unless they do; low and high: its bootstrap 95 % interval over
--- the values of the axes `units` (places, seeds).
function Result:group(metric, axes, units, options)
  return self.run:group(metric, axes, units, options)
end

--- The settings that no other one beats in all metrics at once; see Run:pareto.
function Result:pareto(objectives, over)
  return self.run:pareto(objectives, over or (self.best_options or {}).over)
end

local function agrees(row, params)
  for name, value in pairs(params) do
    local own = row[name]
    local is_same = own == value
    if type(own) == "table" and type(value) == "table" then
      is_same = native.run.key(own) == native.run.key(value)
    end
    if not is_same then
      return false
    end
  end
  return true
end

--- By how much setting `b` exceeds setting `a` in the metric, from pairs of cells that agree in all other axes:
--- { mean, std, value, low, high, num_pairs, num_missing }. value is the difference of the statistic that the options name
--- (of the mean unless they do), low and high its bootstrap 95 % interval over `units`; when 0 lies between them, the two
--- cannot be told apart. A pair without two finite values has no place in it.
---@param metric string
---@param a table axis = value, ...
---@param b table the same axes
---@param units string[]? axes such as places or seeds
---@param options table? { statistic =, direction = } as im.evaluate.difference takes them
function Result:difference(metric, a, b, units, options)
  local named = {}
  for _, params in ipairs { a, b } do
    for name in pairs(params) do
      named[name] = true
    end
  end
  local others, known = {}, {}
  for _, axis in ipairs(self.run:axes()) do
    known[axis.name] = true
    if not named[axis.name] then
      others[#others + 1] = axis.name
    end
  end
  for name in pairs(named) do
    if not known[name] then
      error(("difference: '%s' is no axis of this sweep"):format(tostring(name)), 2)
    end
  end
  local function rest(row)
    local values = {}
    for i, name in ipairs(others) do
      values[i] = row[name] == nil and "" or row[name]
    end
    return native.run.key(values)
  end
  local first = {}
  for _, row in ipairs(self.rows) do
    if agrees(row, a) then
      first[rest(row)] = row
    end
  end
  local of_a, of_b, values, unit_of, num_missing, is_known = {}, {}, {}, {}, 0, false
  for _, row in ipairs(self.rows) do
    local other = agrees(row, b) and first[rest(row)]
    if other then
      local x, y = words.number(other[metric]), words.number(row[metric])
      is_known = is_known or x ~= nil or y ~= nil
      if words.is_finite(x) and words.is_finite(y) then
        values[#values + 1], of_a[#of_a + 1], of_b[#of_b + 1] = y - x, x, y
        local unit = {}
        for i, name in ipairs(units or {}) do
          unit[i] = row[name]
        end
        unit_of[#values] = units and unit or #values
      else
        num_missing = num_missing + 1
      end
    end
  end
  if not is_known then
    error(("difference: no pair of cells has a metric '%s'"):format(tostring(metric)), 2)
  end
  local mean = native.evaluate.statistic(values, nil, { num_resamples = 1 })
  local found = native.evaluate.difference(of_a, of_b, unit_of, options or {})
  return {
    mean = mean.value, std = mean.std, value = found.value, low = found.low, high = found.high, num_pairs = #values,
    num_missing = num_missing,
  }
end

return Result
