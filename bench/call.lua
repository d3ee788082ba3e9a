-- Nanoseconds of one call into C++ from interpreted Lua (user scripts run without the JIT), less those of the loop:
-- `bound`: a guarded method of a typed object; `builtin`: a C function that LuaJIT itself brings.
local im = require "imatch"

local COUNT = 5e6

local function seconds(run)
  local best = math.huge
  for _ = 1, 5 do
    local start = im.now()
    run()
    best = math.min(best, im.now() - start)
  end
  return best
end

local image, difftime = im.image.new(8, 8), os.difftime
local width = image.width

local function empty()
  for _ = 1, COUNT do
    local _ = image
  end
end

local calls = {
  bound = function()
    for _ = 1, COUNT do
      local _ = width(image)
    end
  end,
  builtin = function()
    for _ = 1, COUNT do
      local _ = difftime(2, 1)
    end
  end,
}

print((seconds(calls[...]) - seconds(empty)) / COUNT * 1e9)
