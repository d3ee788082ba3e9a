-- Two runs, cell by cell.
local native = require "imatch.native"
local words = require "imatch.sweep.words"

jit.off(true, true) -- compiled traces would keep runs alive

local M = {}

--- { { name, a = {...}, b = {...}, pairs = {...} } }: values of the metrics that both runs have as numbers.
local function metrics_of(a, b, pairs_of_cells)
  local metrics, by_name = {}, {}
  for i, pair in ipairs(pairs_of_cells) do
    local row_a, row_b = a:row(pair[1]), b:row(pair[2])
    for name, value in pairs(row_a) do
      local x, y = words.number(value), words.number(row_b[name])
      if x and y and row_a.status == "ok" and row_b.status == "ok" then
        if not by_name[name] then
          by_name[name] = { name = name, a = {}, b = {}, pairs = {} }
          metrics[#metrics + 1] = by_name[name]
        end
        local metric = by_name[name]
        metric.a[#metric.a + 1], metric.b[#metric.b + 1], metric.pairs[#metric.pairs + 1] = x, y, i
      end
    end
  end
  for _, axis in ipairs(a:axes()) do
    by_name[axis.name] = nil
  end
  local kept = {}
  for _, metric in ipairs(metrics) do
    if by_name[metric.name] then
      kept[#kept + 1] = metric
    end
  end
  table.sort(kept, function(x, y)
    return x.name < y.name
  end)
  return kept
end

--- One line on a metric.
local function line_of(metric, statistic)
  local of_a, of_b, num_equal, num_not_finite = {}, {}, 0, 0
  local how = { statistic = statistic, direction = native.evaluate.metric(metric.name).better == "lower" and "min" or "max" }
  for i, x in ipairs(metric.a) do
    local y = metric.b[i]
    num_equal = num_equal + ((x == y or (x ~= x and y ~= y)) and 1 or 0)
    if words.is_finite(x) and words.is_finite(y) then
      of_a[#of_a + 1], of_b[#of_b + 1] = x, y
    else
      num_not_finite = num_not_finite + 1
    end
  end
  local difference = native.evaluate.difference(of_a, of_b, nil, how)
  if statistic == "mean" and #of_a > 0 then
    local change = {}
    for i, x in ipairs(of_a) do
      change[i] = of_b[i] - x
    end
    difference.std = native.evaluate.statistic(change, nil, { num_resamples = 1 }).std
  end
  how.num_resamples = 1
  return {
    metric.name, words.metric(native.evaluate.statistic(of_a, nil, how).value),
    words.metric(native.evaluate.statistic(of_b, nil, how).value), words.statistic(difference, statistic),
    ("%d of %d"):format(num_equal, #metric.a), tostring(num_not_finite),
  }
end

--- Prints the comparison. Returns whether all paired cells are the same in every column that is no measured time.
---@param a table Run
---@param b table Run
---@param options table { metric = string?, top = integer, statistic = string }
---@return boolean
function M.print(a, b, options)
  local is_time = require("imatch.sweep.verify").is_time
  local comparison = native.run.compare(a, b)
  print("A: " .. a:path())
  print("B: " .. b:path())
  print(("%d cells in both, %d only in A, %d only in B"):format(#comparison.pairs, comparison.num_only_first,
    comparison.num_only_second))
  local num_changed_status = 0
  for _, pair in ipairs(comparison.pairs) do
    num_changed_status = num_changed_status + (a:row(pair[1]).status ~= b:row(pair[2]).status and 1 or 0)
  end
  if num_changed_status > 0 then
    print(("%d cells failed in one of them only"):format(num_changed_status))
  end
  local metrics, lines, is_equal = metrics_of(a, b, comparison.pairs), {}, num_changed_status == 0
  for i, metric in ipairs(metrics) do
    lines[i] = line_of(metric, options.statistic)
    for k, x in ipairs(metric.a) do
      local y = metric.b[k]
      is_equal = is_equal and (is_time(metric.name) or x == y or (x ~= x and y ~= y))
    end
  end
  print(words.columns({ "metric", options.statistic .. " A", options.statistic .. " B",
    options.statistic == "mean" and "B - A: mean +- std [95 %]" or "B - A [95 %]", "equal", "not finite" }, lines))
  for _, metric in ipairs(metrics) do
    if metric.name == options.metric then
      local order, names = {}, {}
      for i, axis in ipairs(a:axes()) do
        names[i] = axis.name
      end
      for i, x in ipairs(metric.a) do
        local change = math.abs(metric.b[i] - x)
        if change > 0 then
          order[#order + 1] = { change = change, i = i }
        end
      end
      table.sort(order, function(x, y)
        if x.change ~= y.change then
          return x.change > y.change
        end
        return x.i < y.i
      end)
      print(("\nlargest changes in %s:"):format(metric.name))
      for k = 1, math.min(options.top, #order) do
        local i = order[k].i
        print(("  %s -> %s  %s"):format(words.metric(metric.a[i]), words.metric(metric.b[i]),
          words.params(a:params(comparison.pairs[metric.pairs[i]][1]), names)))
      end
    end
  end
  return is_equal
end

return M
