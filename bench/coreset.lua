-- Seconds of a greedy coreset of FOLDER/rows.npy (coreset.py makes it), 1 % of 50,000 x 1,536, projection included; and on
-- standard error how far the memory grew at most.
local im = require "imatch"

local folder = ...

local function resident_mb(which)
  for line in io.lines "/proc/self/status" do
    local kilobytes = line:match("^" .. which .. ":%s+(%d+)")
    if kilobytes then
      return tonumber(kilobytes) / 1000
    end
  end
end

local rows = assert(im.io.read_npy(folder .. "/rows.npy"))
local before = resident_mb "VmRSS"
local start = im.now()
local ids = im.index.coreset(rows, { ratio = 0.01 })
local seconds = im.now() - start
assert(ids:numel() == 500)
io.stderr:write(("%.0f MB beside what was there\n"):format(resident_mb "VmHWM" - before))
print(seconds)
