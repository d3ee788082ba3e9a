-- A running sweep, looked at from beside: lines on the terminal and a page that loads itself anew, live.html.
local folder = require "imatch.sweep.folder"
local native = require "imatch.native"
local report = require "imatch.report"

jit.off(true, true) -- compiled traces would keep runs alive

local M = {}

-- So many looks at a run on which nobody works end the watch: a job that starts again takes a moment.
local LOOKS_ALONE = 3

local function num_at_work(path)
  local count = 0
  for _, worker in ipairs(native.run.workers(path)) do
    count = count + (worker.is_alive and 1 or 0)
  end
  return count
end

--- "12 of 40 cells (1 failed), 2 processes at work, about 3 min 5 s left".
local function line_of(counts, at_work, left_s)
  local finished = counts.total - counts.pending
  local parts = { ("%d of %d cells"):format(finished, counts.total) }
  if counts.failed > 0 then
    parts[1] = parts[1] .. (" (%d failed)"):format(counts.failed)
  end
  parts[2] = at_work == 0 and "nobody at work" or ("%d process%s at work"):format(at_work, at_work == 1 and "" or "es")
  if left_s then
    parts[3] = ("about %s left"):format(native.duration(left_s))
  end
  return table.concat(parts, ", ")
end

--- Looks at a run until it is finished or nobody works on it, and writes its live page at each look.
---@param target string run folder, or runs/<name>
---@param options { every_s: number, looks: integer? } `looks`: at most so many
---@return boolean finished
function M.run(target, options)
  local started, finished_at_start, alone, last_line = native.now(), nil, 0, nil
  for look = 1, options.looks or math.huge do
    local looked_at = native.now()
    local run, message = folder.open(target)
    if not run then
      error(message, 0)
    end
    local counts, at_work = run:counts(), num_at_work(run:path())
    local finished = counts.total - counts.pending
    finished_at_start = finished_at_start or finished
    alone = at_work == 0 and alone + 1 or 0
    local is_last = counts.pending == 0 or alone >= LOOKS_ALONE or look == options.looks
    local page = report.write_live(run, not (counts.pending == 0 or alone >= LOOKS_ALONE) and options.every_s or nil)
    run:close()
    local rate = (finished - finished_at_start) / math.max(looked_at - started, 1e-9)
    local line = line_of(counts, at_work, rate > 0 and counts.pending > 0 and counts.pending / rate or nil)
    if look == 1 then
      print("page: " .. page)
    end
    if line ~= last_line then
      print(line)
      io.flush()
      last_line = line
    end
    if is_last then
      if counts.pending > 0 and at_work == 0 then
        print(("`imatch-lua sweep resume %s` goes on"):format(target))
      end
      return counts.pending == 0
    end
    -- A large run takes a while to read: never more than a tenth of the time.
    native.sleep(math.max(options.every_s, 9 * (native.now() - looked_at)))
  end
end

return M
