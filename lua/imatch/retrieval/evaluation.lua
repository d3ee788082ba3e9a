-- Search results against true positions: what `imatch-lua evaluate` does with each folder of results.
local im = require "imatch"

local M = {}

local MAP_POINTS, SHOWN_SKIPPED = 2000, 20

local function tell_skipped(what, skipped)
  for i = 1, math.min(#skipped, SHOWN_SKIPPED) do
    io.stderr:write(what, ": ", skipped[i].path, ": ", skipped[i].reason, "\n")
  end
  if #skipped > SHOWN_SKIPPED then
    io.stderr:write(("%s: %d more\n"):format(what, #skipped - SHOWN_SKIPPED))
  end
end

local function is_aggregate(name)
  return name:find "_%a+%-%a+_top%d+%.json$" ~= nil
end

--- The groups of results at a path, sorted: a list of files each. A folder's files are a group, and so is each aggregate and a
--- file that is named itself. Rows for Redis in a folder of results say the same as these and are left out.
---@param path string
---@return string[][]
function M.groups(path)
  local names = im.file.list(path, { extensions = { "json" }, recursive = true })
  if not names then
    return { { path } }
  end
  local groups, of_folder = {}, {}
  for _, name in ipairs(names) do
    local file, folder = path .. "/" .. name, name:match "^(.*)/" or ""
    if is_aggregate(name) then
      groups[#groups + 1] = { file }
    else
      if not of_folder[folder] then
        of_folder[folder] = { files = {}, rows = {} }
        groups[#groups + 1] = of_folder[folder]
      end
      table.insert(of_folder[folder][name:find "_redis%.json$" and "rows" or "files"], file)
    end
  end
  for i, group in ipairs(groups) do
    groups[i] = group.files and (#group.files > 0 and group.files or group.rows) or group
  end
  return groups
end

--- function(source, results, which) -> PositionTable, or nil and a message. A file is read once, for however many results;
--- 'images' asks the pictures of the results themselves.
function M.position_reader()
  local tables = {}
  return function(source, results, which)
    if source == "images" then
      local images = {}
      for i, name in ipairs(results:names(which)) do
        images[i] = name
      end
      local found, skipped, doubtful = im.retrieval.image_positions(images)
      tell_skipped("no position", skipped)
      tell_skipped("doubtful position", doubtful)
      return found
    end
    local message
    if not tables[source] then
      tables[source], message = im.retrieval.positions(source)
    end
    return tables[source], message
  end
end

--- Evaluates one group of results. Returns its summary with name and num_queries, the evaluation, and its rows, evenly
--- spaced, for a map; nil, message when they cannot be read.
---@param files string[]
---@param read_positions function as position_reader gives it
---@param truth { queries: string, references: string, direction: string? } sources of the positions
---@param options table of retrieval.evaluate
function M.of(files, read_positions, truth, options)
  local results, message = im.retrieval.results(files, truth.direction)
  if not results then
    return nil, message
  end
  local is = results:description()
  if is.num_queries == 0 then
    return nil, (files[1] or "-") .. ": no search results"
  end
  tell_skipped("left out", is.skipped)
  local queries, references
  queries, message = read_positions(truth.queries, results, "queries")
  if queries then
    references, message = read_positions(truth.references, results, "references")
  end
  if not references then
    return nil, message
  end
  local evaluation = im.retrieval.evaluate(results, queries, references, options)
  results:close()
  local summary, points = evaluation:summary(), {}
  summary.name = summary.direction == "" and summary.group or ("%s %s"):format(summary.group, summary.direction)
  summary.num_queries = #evaluation
  for i = 1, #evaluation, math.max(1, #evaluation / MAP_POINTS) do
    points[#points + 1] = evaluation:row(math.floor(i))
  end
  return summary, evaluation, points
end

--- "83 % (77 to 88 %)": a share with its interval where there is one.
local function percent(metric)
  if not metric or not metric.value then
    return "-"
  end
  local interval = metric.low and (" (%.3g to %.3g %%)"):format(100 * metric.low, 100 * metric.high) or ""
  return ("%.3g %%"):format(100 * metric.value) .. interval
end

--- Prints what an evaluation says, in at most four lines.
---@param summary table as M.of gives it
---@param radius_m number
function M.print_answer(summary, radius_m)
  local by_name, recalls = {}, {}
  for _, metric in ipairs(summary.metrics) do
    by_name[metric.name] = metric
    local k = metric.name:match "^R@(%d+)_all$"
    if k then
      recalls[#recalls + 1] = ("R@%s %s"):format(k, percent(metric))
    end
  end
  local function number(name)
    return by_name[name] and by_name[name].value and ("%.3g"):format(by_name[name].value) or "-"
  end
  print(("%s: %d queries, %d references"):format(summary.name, summary.num_queries, summary.num_references))
  print(("  a reference within %g m among the first K (95 %% interval): %s"):format(radius_m, table.concat(recalls, ", ")))
  print(("  the first one is %s m off in the median, %s m in 90 %% of queries; %s fail"):format(number "top1_median_m",
    number "top1_p90_m", percent(by_name.failure_rate)))
  if by_name.search_p50_ms or by_name.total_p50_ms then
    print(("  search %s ms a query, %s ms in all (median)"):format(number "search_p50_ms", number "total_p50_ms"))
  end
end

--- Prints metrics with their definitions.
---@param metrics table[]
function M.print(metrics)
  for _, metric in ipairs(metrics) do
    local value = metric.value and ("%.6g %s"):format(metric.value, metric.unit) or "-"
    print(("  %-22s %-12s %s"):format(metric.name, value, metric.definition))
  end
end

--- Prints what x and y of the label index say, where it has them.
---@param metrics table[] label_metrics
function M.print_plane(metrics)
  local of_plane = {}
  for _, metric in ipairs(metrics) do
    if metric.value and metric.name:find "^xy_" then
      of_plane[#of_plane + 1] = metric
    end
  end
  M.print(of_plane)
end

return M
