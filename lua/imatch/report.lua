-- The page a sweep leaves behind: runs/<name>/<hash>/report.html. What it looks like stands in report/: the page, its style
-- and its scripts; core/report/report.h fills in the results.
local native = require "imatch.native"

local M = {}

M.OPTIONS = { "metric", "line_x", "line_color", "heat_x", "heat_y", "heat_facet", "statistic" }

--- Keeps how the report of a run is to be made, in page.json, so that `imatch-lua sweep watch` can make it too.
function M.remember(run, best, title, options)
  if options ~= false then
    native.io.write_json(run:path() .. "/page.json", { best = best, title = title, options = options or {} })
  end
end

--- Writes a report that loads itself anew every so many seconds: live.html, beside report.html. Returns its path.
---@param run table
---@param seconds number? nil: it does not load itself any more
---@return string path
function M.write_live(run, seconds)
  local page = native.io.read_json(run:path() .. "/page.json") or {}
  local options = { file = "live.html", reload_s = seconds, written = os.time() }
  for name, value in pairs(page.options or {}) do
    options[name] = value
  end
  local path, message = run:report(page.best, page.title or run:path(), options)
  if not path then
    error("report: " .. message, 0)
  end
  return path
end

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
