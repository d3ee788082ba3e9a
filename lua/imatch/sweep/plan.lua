-- What a sweep would do: how many cells, how many are there, how long the rest takes.
local native = require "imatch.native"
local words = require "imatch.sweep.words"

jit.off(true, true) -- compiled traces would keep runs alive

local M = {}

--- Time that a cell takes, in seconds, and where that is known from: this run, or else the latest one of the same name.
local function seconds_of_a_cell(sweep)
  local counts = sweep.run:counts()
  if counts.cached > 0 then
    return counts.measured_s / counts.cached, "its finished cells"
  end
  local parent = sweep.run:path():match "^(.*)/[^/]*$"
  local other = require("imatch.sweep.folder").open(parent)
  local others = other and other:counts()
  if others and others.total > others.pending then
    return others.measured_s / (others.total - others.pending), "an earlier run, " .. other:path()
  end
end

--- Prints the plan of a sweep.
---@param sweep table as im.sweep hands it to a command
---@param options table { list = integer?, num_processes = integer }
function M.print(sweep, options)
  local counts = sweep.run:counts()
  print(("%s: %d cells, %d cached, %d to measure%s"):format(sweep.name, counts.total, counts.cached, counts.pending,
    counts.failed > 0 and (", %d of the cached ones failed"):format(counts.failed) or ""))
  for _, axis in ipairs(sweep.run:axes()) do
    local texts = {}
    for i, value in ipairs(axis.values) do
      texts[i] = i <= 12 and words.value(value) or i == 13 and "..." or nil
    end
    print(("  %s (%d): %s"):format(axis.name, #axis.values, table.concat(texts, ", ")))
  end
  print("  folder: " .. sweep.run:path())
  if counts.cached > 0 then
    print("  measuring the cached cells took " .. native.duration(counts.cached_s))
  end
  if counts.pending > 0 then
    local seconds, source = seconds_of_a_cell(sweep)
    if seconds then
      print(("  estimate: %s in %d process%s, by %s (%s a cell)"):format(
        native.duration(seconds * counts.pending / options.num_processes), options.num_processes,
        options.num_processes == 1 and "" or "es", source, native.duration(seconds)))
    else
      print "  estimate: none, no cell of a sweep of this name was measured before"
    end
  end
  local listed = 0
  for cell = 1, options.list and counts.total or 0 do
    if listed >= options.list then
      break
    end
    local row = sweep.run:row(cell)
    if row.status == "pending" then
      listed = listed + 1
      print(("  %s  %s"):format(sweep.plan:key(cell), words.params(row, sweep.names)))
    end
  end
end

return M
