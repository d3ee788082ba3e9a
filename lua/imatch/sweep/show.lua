-- A run on the terminal: its state, its rows, its settings, its failures.
local native = require "imatch.native"
local words = require "imatch.sweep.words"

jit.off(true, true) -- compiled traces would keep runs alive

local M = {}

local function axis_names(run)
  local names = {}
  for i, axis in ipairs(run:axes()) do
    names[i] = axis.name
  end
  return names
end

--- Metrics of the rows, sorted by name.
function M.metric_names(run, rows)
  local other = { cell_key = true, status = true, error = true }
  for _, name in ipairs(axis_names(run)) do
    other[name] = true
  end
  local names = {}
  for _, row in ipairs(rows) do
    for name in pairs(row) do
      if not other[name] then
        other[name] = true
        names[#names + 1] = name
      end
    end
  end
  table.sort(names)
  return names
end

--- function(row) -> boolean of a Lua expression over the columns; nil and a message when it does not compile.
function M.condition(expression)
  local chunk, message = loadstring("return " .. expression, "=where")
  if not chunk then
    return nil, message
  end
  return function(row)
    setfenv(chunk, setmetatable({}, {
      __index = function(_, name)
        local value = row[name]
        if value == nil then
          return math[name]
        end
        return value
      end,
    }))
    local ok, result = pcall(chunk)
    return ok and result
  end
end

local function known_metric(run, rows, name, what)
  local known = M.metric_names(run, rows)
  for _, metric in ipairs(known) do
    if metric == name then
      return
    end
  end
  error(("%s: no metric '%s'%s; metrics: %s"):format(what, name, native.run.nearest(name, known), table.concat(known, ", ")), 0)
end

--- Rows with the metric, best first.
local function sorted_by(rows, metric, is_ascending)
  local with = {}
  for i, row in ipairs(rows) do
    local x = words.number(row[metric])
    if x and x == x then
      with[#with + 1] = { x = x, i = i, row = row }
    end
  end
  table.sort(with, function(a, b)
    if a.x ~= b.x then
      return (a.x < b.x) == is_ascending
    end
    return a.i < b.i
  end)
  for i, entry in ipairs(with) do
    with[i] = entry.row
  end
  return with
end

--- Whether small values are good: what the sweep says of its metric, else by the name.
function M.is_small_good(run, metric)
  local best = native.io.read_json(run:path() .. "/best.json")
  if type(best) == "table" and best.metric == metric then
    return best.direction == "min"
  end
  return native.evaluate.metric(metric).better == "lower"
end

---@param run table
---@param options table { sort, top, ascending, descending, where, columns = {...} }
function M.rows(run, options)
  local rows = {}
  for _, row in ipairs(run:rows()) do
    if row.status == "ok" and (not options.where or options.where(row)) then
      rows[#rows + 1] = row
    end
  end
  if options.sort then
    known_metric(run, rows, options.sort, "--sort")
    local is_ascending = M.is_small_good(run, options.sort)
    if options.ascending or options.descending then
      is_ascending = options.ascending == true
    end
    rows = sorted_by(rows, options.sort, is_ascending)
  end
  local axes = axis_names(run)
  local columns = options.columns
  if not columns then
    columns = { unpack(axes) }
    for _, name in ipairs(M.metric_names(run, rows)) do
      columns[#columns + 1] = name
    end
  end
  local is_axis = {}
  for _, name in ipairs(axes) do
    is_axis[name] = true
  end
  local lines = {}
  for i = 1, math.min(#rows, options.top) do
    lines[i] = {}
    for column, name in ipairs(columns) do
      lines[i][column] = (is_axis[name] and words.value or words.metric)(rows[i][name])
    end
  end
  print(words.columns(columns, lines))
  if #rows > #lines then
    print(("... %d rows more; --top shows them"):format(#rows - #lines))
  end
end

--- One line a setting: the statistic with its 95 % interval over the other axes, best first.
function M.settings(run, metric, axes, units, top, statistic)
  known_metric(run, run:rows(), metric, "--sort")
  local is_small = M.is_small_good(run, metric)
  local groups = run:group(metric, axes, units, { statistic = statistic, direction = is_small and "min" or "max" })
  -- Of shares and areas the larger is better, whichever way the metric is.
  local sign = is_small and not statistic:find "^share@" and not statistic:find "^auc@" and 1 or -1
  for i, group in ipairs(groups) do
    group.order = i
  end
  table.sort(groups, function(a, b)
    local x, y = a.value and sign * a.value or math.huge, b.value and sign * b.value or math.huge
    if x ~= y then
      return x < y
    end
    return a.order < b.order
  end)
  local header, num_units = { unpack(axes) }, nil
  local title_of_value = statistic == "mean" and metric .. ": mean +- std" or native.evaluate.title(statistic, metric)
  for _, title in ipairs { title_of_value .. " [95 %]", "median", "cells", "missing" } do
    header[#header + 1] = title
  end
  local lines = {}
  for i = 1, math.min(top, #groups) do
    lines[i], num_units = {}, groups[i].num_units
    for column, name in ipairs(axes) do
      lines[i][column] = words.value(groups[i][name])
    end
    for _, text in ipairs { words.statistic(groups[i], statistic), words.metric(groups[i].median), tostring(groups[i].num_cells),
      tostring(groups[i].num_missing) } do
      table.insert(lines[i], text)
    end
  end
  print(words.columns(header, lines))
  local warning = words.few_units(num_units, units or {})
  if warning then
    print(warning)
  end
end

--- Best cell and best setting, and what the best settings are along the axes asked for.
---@param options table as Run:best takes them
function M.best(run, options)
  print(words.best(run:best(options), axis_names(run)))
end

--- The Pareto set: objectives are { { metric =, direction = }, ... }.
function M.pareto(run, objectives, over)
  for _, objective in ipairs(objectives) do
    objective.direction = objective.direction or (M.is_small_good(run, objective.metric) and "min" or "max")
  end
  local settings = run:pareto(objectives, over)
  local skipped, header = {}, {}
  for _, name in ipairs(over) do
    skipped[name] = true
  end
  for _, name in ipairs(axis_names(run)) do
    if not skipped[name] then
      header[#header + 1] = name
    end
  end
  local num_axes = #header
  for _, objective in ipairs(objectives) do
    header[#header + 1] = objective.metric
  end
  header[#header + 1] = "missing"
  local lines = {}
  for i, setting in ipairs(settings) do
    lines[i] = {}
    for column = 1, num_axes do
      lines[i][column] = words.value(setting.params[header[column]])
    end
    for _, objective in ipairs(objectives) do
      table.insert(lines[i], words.metric(setting.metrics[objective.metric]))
    end
    table.insert(lines[i], tostring(setting.num_missing))
  end
  print(words.columns(header, lines))
end

--- The failed cells with what is kept of them; traceback and log of the first `num_in_full`.
function M.failures(run, num_in_full)
  local names, shown = axis_names(run), 0
  for cell, row in ipairs(run:rows()) do
    if row.status == "failed" then
      shown = shown + 1
      print(("%s  %s"):format(row.cell_key, words.params(row, names)))
      if shown <= num_in_full then
        local record = run:record(cell)
        print("  " .. record.traceback:gsub("\n", "\n  "))
        if record.log ~= "" then
          print("  it wrote:\n    " .. record.log:gsub("\n$", ""):gsub("\n", "\n    "))
        end
      else
        print("  " .. (row.error:match "^[^\n]*"))
      end
    end
  end
  if shown == 0 then
    print "no cell failed"
  end
end

--- How far a run is and who works on it.
function M.status(run)
  local counts = run:counts()
  print(run:path())
  print(("%d cells: %d ok, %d failed, %d pending; measuring took %s"):format(counts.total, counts.ok, counts.failed,
    counts.pending, native.duration(counts.measured_s)))
  for _, path in ipairs(counts.damaged) do
    print("damaged record, will be measured again: " .. path)
  end
  local num_alive, is_alive = 0, {}
  for _, worker in ipairs(native.run.workers(run:path())) do
    num_alive = num_alive + (worker.is_alive and 1 or 0)
    is_alive[worker.worker] = worker.is_alive
    print(("%s: process %d on %s, %s, heartbeat %s ago"):format(worker.worker, worker.pid, worker.host,
      worker.is_alive and "at work" or "dead", native.duration(worker.heartbeat_age_s)))
  end
  for _, cell in ipairs(run:unfinished()) do
    print(("  %s: %s, %s ago, %s"):format(words.params(run:params(cell.cell), axis_names(run)), cell.text,
      native.duration(cell.age_s), is_alive[cell.worker] and "by " .. cell.worker or "interrupted"))
  end
  if num_alive == 0 and counts.pending > 0 then
    print "nobody works on it; `imatch-lua sweep resume FOLDER` goes on"
  end
end

return M
