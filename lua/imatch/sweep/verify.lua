-- Measures finished cells again and compares with what was kept, bit by bit.
local native = require "imatch.native"
local words = require "imatch.sweep.words"
local choice = require("imatch.range").choice

jit.off(true, true) -- compiled traces would keep runs alive

local M = {}

--- Whether a metric of that name is a measured time, which no two runs share.
function M.is_time(name)
  return name:find "_ms$" ~= nil or name:find "_us$" ~= nil or name:find "^time_" ~= nil or name:find "^wall_" ~= nil
    or name:find "^cpu_" ~= nil or name == "seconds"
end

local function is_same(a, b)
  if type(a) == "number" and type(b) == "number" then
    return a == b or (a ~= a and b ~= b)
  elseif type(a) == "table" and type(b) == "table" then
    return native.run.key(a) == native.run.key(b)
  end
  return a == b
end

--- Metrics that differ: { { name, kept, now }, ... }, sorted by name.
local function differences(kept, now, excepted)
  local names, found = {}, {}
  for _, metrics in ipairs { kept, now } do
    for name in pairs(metrics) do
      names[name] = true
    end
  end
  for name in pairs(names) do
    if not M.is_time(name) and not excepted[name] and not is_same(kept[name], now[name]) then
      found[#found + 1] = { name, kept[name], now[name] }
    end
  end
  table.sort(found, function(a, b)
    return a[1] < b[1]
  end)
  return found
end

local function exactly(value)
  return type(value) == "number" and ("%.17g"):format(value) or tostring(value)
end

--- Measures `number` finished cells again, drawn by the seed. Returns how many differ.
---@param sweep table as im.sweep hands it to a command
---@param options table { number = integer, seed = integer, except = { name = true } }
---@return integer num_different
function M.run(sweep, options)
  local finished = {}
  for cell = 1, sweep.run:counts().total do
    if sweep.run:row(cell).status == "ok" then
      finished[#finished + 1] = cell
    end
  end
  local cells = #finished > 0 and choice(finished, options.number, options.seed) or {}
  local num_different = 0
  for _, cell in ipairs(cells) do
    local kept = sweep.run:record(cell)
    local ok, now, message = pcall(sweep.measure, cell)
    local found = ok and now and differences(kept.metrics, now, options.except) or {}
    if not ok or not now then
      found = { { "error", "none", tostring(not ok and now or message) } }
    end
    if #found > 0 then
      num_different = num_different + 1
      print(("%s  %s"):format(kept.cell_key, words.params(kept.params, sweep.names)))
      for _, difference in ipairs(found) do
        print(("  %s: kept %s, now %s"):format(difference[1], exactly(difference[2]), exactly(difference[3])))
      end
    end
  end
  print(("%s: %d of %d finished cells measured again, %d differ"):format(sweep.name, #cells, #finished, num_different))
  return num_different
end

return M
