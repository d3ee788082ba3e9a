-- Two runs, cell by cell.
local native = require "imatch.native"
local words = require "imatch.sweep.words"

jit.off(true, true) -- compiled traces would keep runs alive

local M = {}

--- { { name, a = {...}, b = {...}, pairs = {...}, failed = { { a =, b =, pair = } } } }: values of the metrics that both runs
--- have as numbers; `failed`: the pairs of which a cell failed, with the value of the other one.
local function metrics_of(a, b, pairs_of_cells)
  local metrics, by_name = {}, {}
  for i, pair in ipairs(pairs_of_cells) do
    local row_a, row_b = a:row(pair[1]), b:row(pair[2])
    for name, value in pairs(row_a) do
      local x, y = words.number(value), words.number(row_b[name])
      if x and y and row_a.status == "ok" and row_b.status == "ok" then
        if not by_name[name] then
          by_name[name] = { name = name, a = {}, b = {}, pairs = {}, failed = {} }
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
  for i, pair in ipairs(pairs_of_cells) do
    local row_a, row_b = a:row(pair[1]), b:row(pair[2])
    for name, metric in pairs((row_a.status ~= "ok" or row_b.status ~= "ok") and by_name or {}) do
      metric.failed[#metric.failed + 1] = { a = words.number(row_a[name]), b = words.number(row_b[name]), pair = i }
    end
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

--- What failed or is not finite is as bad as can be, but in a mean, which leaves such pairs out; the pages count in the same
--- way.
local function counted(metric, statistic, is_small_good)
  local worst, of_a, of_b, pair_of = is_small_good and math.huge or -math.huge, {}, {}, {}
  for i, x in ipairs(metric.a) do
    local y = metric.b[i]
    if statistic ~= "mean" or (words.is_finite(x) and words.is_finite(y)) then
      of_a[#of_a + 1], of_b[#of_b + 1] = words.is_finite(x) and x or worst, words.is_finite(y) and y or worst
      pair_of[#pair_of + 1] = metric.pairs[i]
    end
  end
  for _, failed in ipairs(statistic ~= "mean" and metric.failed or {}) do
    of_a[#of_a + 1] = words.is_finite(failed.a) and failed.a or worst
    of_b[#of_b + 1] = words.is_finite(failed.b) and failed.b or worst
    pair_of[#pair_of + 1] = failed.pair
  end
  return of_a, of_b, pair_of
end

--- One line on a metric. `unit_of(pair)`: what the interval draws from.
local function line_of(metric, statistic, best, unit_of)
  local is_small_good = native.evaluate.metric(metric.name).better == "lower"
  if best.metric == metric.name and best.direction then
    is_small_good = best.direction == "min"
  end
  local of_a, of_b, pair_of = counted(metric, statistic, is_small_good)
  local how = { statistic = statistic, direction = is_small_good and "min" or "max" }
  local num_equal, num_not_finite, units = 0, #metric.failed, {}
  for i, x in ipairs(metric.a) do
    local y = metric.b[i]
    num_equal = num_equal + ((x == y or (x ~= x and y ~= y)) and 1 or 0)
    num_not_finite = num_not_finite + (words.is_finite(x) and words.is_finite(y) and 0 or 1)
  end
  for i, pair in ipairs(pair_of) do
    units[i] = unit_of(pair)
  end
  local difference = native.evaluate.difference(of_a, of_b, units, how)
  if statistic == "mean" and #of_a > 0 then
    local change = {}
    for i, x in ipairs(of_a) do
      change[i] = of_b[i] - x
    end
    difference.std = native.evaluate.statistic(change, nil, { num_resamples = 1 }).std
  end
  how.num_resamples = 1
  local name = statistic == "mean" and metric.name or native.evaluate.title(statistic, metric.name)
  return {
    name, words.metric(native.evaluate.statistic(of_a, nil, how).value),
    words.metric(native.evaluate.statistic(of_b, nil, how).value), words.statistic(difference, statistic),
    ("%d of %d"):format(num_equal, #metric.a), tostring(num_not_finite),
  }
end

--- Prints the comparison. Returns whether all paired cells are the same in every column that is no measured time.
---@param a table Run
---@param b table Run
---@param options table { metric = string?, top = integer, statistic = string?, letter = 1 for B, 2 for C, ... }
---@return boolean
function M.print(a, b, options)
  local is_time = require("imatch.sweep.verify").is_time
  local comparison = native.run.compare(a, b)
  local letter = ("BCDEFGHIJKLMNOPQRSTUVWXYZ"):sub(options.letter or 1, options.letter or 1)
  local kept = native.io.read_json(a:path() .. "/best.json")
  local best = type(kept) == "table" and kept or {}
  local function unit_of(pair)
    local params, units = a:params(comparison.pairs[pair][1]), {}
    for i, name in ipairs(best.units or {}) do
      units[i] = params[name] == nil and "" or params[name]
    end
    return #units > 0 and units or pair
  end
  print("A: " .. a:path())
  print(letter .. ": " .. b:path())
  print(("%d cells in both, %d only in A, %d only in %s"):format(#comparison.pairs, comparison.num_only_first,
    comparison.num_only_second, letter))
  local num_changed_status = 0
  for _, pair in ipairs(comparison.pairs) do
    num_changed_status = num_changed_status + (a:row(pair[1]).status ~= b:row(pair[2]).status and 1 or 0)
  end
  if num_changed_status > 0 then
    print(("%d cells failed in one of them only"):format(num_changed_status))
  end
  local metrics, lines, is_equal = metrics_of(a, b, comparison.pairs), {}, num_changed_status == 0
  for i, metric in ipairs(metrics) do
    local own = best.metric == metric.name and best.statistic
    lines[i] = line_of(metric, options.statistic or own or "mean", best, unit_of)
    for k, x in ipairs(metric.a) do
      local y = metric.b[k]
      is_equal = is_equal and (is_time(metric.name) or x == y or (x ~= x and y ~= y))
    end
  end
  local shown = options.statistic and options.statistic .. " " or ""
  local title = ("%s - A [95 %%]"):format(letter)
  print(words.columns({ "metric", shown .. "A", shown .. letter, title, "equal", "not finite" }, lines))
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
