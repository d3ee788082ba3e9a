-- The page a sweep leaves behind: runs/<name>/<hash>/report.html. What it looks like stands in report/: the page, its style
-- and its scripts; core/report/report.h fills in the results.
local M = {}

M.OPTIONS = { "metric", "line_x", "line_color", "heat_x", "heat_y", "heat_facet", "statistic" }

--- Writes the report of a run, unless it stands there with the same results. Returns its path.
---@param run table as im.run.open gives it
---@param best table? options of im.sweep's `best`
---@param title string
---@param options table? which metric and axes the charts show first
---@param answer string? what the sweep says, in words
---@return string path
function M.write(run, best, title, options, answer)
  local parts = { answer = answer }
  for name, value in pairs(options or {}) do
    parts[name] = value
  end
  local path, message = run:report(best, title, parts)
  if not path then
    error("report: " .. message, 0)
  end
  return path
end

return M
