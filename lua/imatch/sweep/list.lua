-- All runs below a folder: what `imatch-lua sweep list` prints, and the page of them, index.html.
local folders = require "imatch.sweep.folder"
local native = require "imatch.native"
local words = require "imatch.sweep.words"

jit.off(true, true) -- compiled traces would keep runs alive

local M = {}

--- How far a run is, in a word: "done", "at work", "interrupted".
local function state_of(path, counts)
  for _, worker in ipairs(native.run.workers(path)) do
    if worker.is_alive then
      return "at work"
    end
  end
  return counts.pending > 0 and "interrupted" or "done"
end

--- "AUC@10px of corner error: 0.612": what a run decides by, of its best setting or cell; nil where it does not say.
local function best_of(path)
  local best = native.io.read_json(path .. "/best.json")
  if type(best) ~= "table" or not best.metric then
    return nil
  end
  local setting, cell = best.setting, best.cell
  if setting and best.over and #best.over > 0 then
    return best.title, setting.value, words.params(setting.params, M.names_of(setting.params))
  elseif cell and cell.metrics then
    return "best " .. best.metric, cell.metrics[best.metric], words.params(cell.params, M.names_of(cell.params))
  end
end

--- Names of parameters, sorted.
function M.names_of(params)
  local names = {}
  for name in pairs(params or {}) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

--- The runs below a folder, latest first: { path, name, hash, started, script, arguments, commit, dirty, total, ok, failed,
--- pending, state, best_title, best_value, best_params, has_report }. nil and a message where there is none.
---@param folder string
---@return table[]? runs
---@return string? message
function M.find(folder)
  local runs = {}
  for _, name in ipairs(native.file.list(folder, { recursive = true, extensions = { "json" } }) or {}) do
    local relative = name:match "^(.*)/plan%.json$"
    local path = relative and folder .. "/" .. relative
    local run, message
    if path then
      run, message = native.run.read(path)
    end
    if run then
      local counts, provenance = run:counts(), folders.provenance(path .. "/provenance.json")
      local title, value, params = best_of(path)
      runs[#runs + 1] = {
        path = path, relative = relative, name = relative:match "([^/]+)/[^/]+$" or relative, hash = relative:match "[^/]+$",
        started = provenance.started or "", script = provenance.script, arguments = provenance.arguments or {},
        commit = (provenance.git or {}).commit, dirty = (provenance.git or {}).dirty,
        total = counts.total, ok = counts.ok, failed = counts.failed, pending = counts.pending, measured_s = counts.measured_s,
        state = state_of(path, counts), best_title = title, best_value = value, best_params = params,
        has_report = native.file.exists(path .. "/report.html"), has_live = native.file.exists(path .. "/live.html"),
      }
      run:close()
    elseif path then
      io.stderr:write(("sweep: %s: %s\n"):format(path, message))
    end
  end
  if #runs == 0 then
    return nil, ("%s: no run folder below it; a sweep leaves runs/<name>/<hash>"):format(folder)
  end
  table.sort(runs, function(a, b)
    if a.started ~= b.started then
      return a.started > b.started
    end
    return a.path < b.path
  end)
  return runs
end

--- Prints the runs, one a line.
---@param runs table[] as M.find gives them
function M.print(runs)
  local lines = {}
  for i, run in ipairs(runs) do
    local best = run.best_value and ("%s %s"):format(run.best_title, words.metric(run.best_value)) or "-"
    local started = run.started:sub(1, 16):gsub("T", " ")
    local cells = ("%d of %d"):format(run.ok + run.failed, run.total)
    local arguments = #run.arguments > 0 and table.concat(run.arguments, " ") or "-"
    lines[i] = { run.path, started, run.state, cells, tostring(run.failed), best, arguments }
  end
  print(words.columns({ "run", "started (UTC)", "state", "cells", "failed", "best", "arguments" }, lines))
end

--- Writes the page of the runs into the folder; returns its path, or nil and a message.
---@param folder string
---@param runs table[]
function M.write_page(folder, runs)
  local path = folder .. "/index.html"
  local done, message = native.report.write(path, "runs", "Runs", { folder = folder, runs = runs }, { "look", "runs" })
  return done and path or nil, message
end

return M
