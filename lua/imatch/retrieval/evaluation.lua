-- Search results against true positions: what `imatch-lua evaluate` does with each folder of results.
local im = require "imatch"

local M = {}

local MAP_POINTS, SHOWN_SKIPPED = 2000, 20

local function tell_skipped(what, skipped)
  for i = 1, math.min(#skipped, SHOWN_SKIPPED) do
    io.stderr:write(what, ": ", skipped[i].path, ": ", skipped[i].reason, "\n")
  end
end

--- The result files below a folder, or the file itself. Rows for Redis say the same as the results beside them and are read where
--- they stand alone.
---@param path string
---@return string[]
function M.result_files(path)
  local names = im.file.list(path, { extensions = { "json" }, recursive = true })
  if not names then
    return { path }
  end
  local files, rows = {}, {}
  for _, name in ipairs(names) do
    table.insert(name:find "_redis%.json$" and rows or files, path .. "/" .. name)
  end
  return #files > 0 and files or rows
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
      local found, skipped = im.retrieval.image_positions(images)
      tell_skipped("no position", skipped)
      return found
    end
    local message
    if not tables[source] then
      tables[source], message = im.retrieval.positions(source)
    end
    return tables[source], message
  end
end

--- Evaluates one folder of results. Returns its summary with name and num_queries, the evaluation, and its rows, evenly
--- spaced, for a map; nil, message when they cannot be read.
---@param path string folder or aggregate file
---@param read_positions function as position_reader gives it
---@param truth { queries: string, references: string } sources of the positions
---@param options table of retrieval.evaluate
function M.of(path, read_positions, truth, options)
  local results, message = im.retrieval.results(M.result_files(path))
  if not results then
    return nil, message
  end
  local is = results:description()
  if is.num_queries == 0 then
    return nil, path .. ": no search results"
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
  summary.name = ("%s %s %s"):format(summary.weight, summary.mode, summary.direction)
  summary.num_queries = #evaluation
  for i = 1, #evaluation, math.max(1, #evaluation / MAP_POINTS) do
    points[#points + 1] = evaluation:row(math.floor(i))
  end
  return summary, evaluation, points
end

--- Prints metrics with their definitions.
---@param metrics table[]
function M.print(metrics)
  for _, metric in ipairs(metrics) do
    local value = metric.value and ("%.6g %s"):format(metric.value, metric.unit) or "-"
    print(("  %-22s %-12s %s"):format(metric.name, value, metric.definition))
  end
end

return M
