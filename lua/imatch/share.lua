-- Work whose results are files, divided among the processes that run the same command: under srun, in an array, under
-- torchrun, or started by hand. The claims are those of sweeps (core/sweep/claim.h).
local native = require "imatch.native"

local M = {}

local WAIT_S = 0.5 -- between two looks at the parts that others have

--- Calls `work(part)` for every part, unless another process has done it. Comes back when all parts are done, by whomever:
--- those of processes that died are taken over. A part is { name = , ... }.
---@param folder string where the claims stand; all processes see it
---@param parts table[]
---@param is_done fun(part: table): boolean whether its results are there; asked again once the part is claimed
---@param work fun(part: table)
function M.each(folder, parts, is_done, work)
  local shared, waiting = nil, parts
  while #waiting > 0 do
    local left = {}
    for _, part in ipairs(waiting) do
      if not is_done(part) then
        shared = shared or assert(native.run.share(folder))
        local claim = shared:take(part.name)
        if not claim then
          left[#left + 1] = part
        else
          local ok, message = true, nil
          if not is_done(part) then
            ok, message = pcall(work, part)
          end
          claim:close()
          if not ok then
            error(message, 0)
          end
        end
      end
    end
    waiting = left
    if #waiting > 0 then
      native.sleep(WAIT_S)
    end
  end
  if shared then
    shared:close()
  end
end

--- Cuts a list into parts of `size` items, which are the same in every process: { name = "<prefix>-<first>", first = , last = }.
---@param prefix string
---@param count integer
---@param size integer
function M.parts(prefix, count, size)
  local parts = {}
  for first = 1, count, size do
    parts[#parts + 1] = {
      name = ("%s-%d-%d"):format(prefix, first, size), first = first, last = math.min(count, first + size - 1),
    }
  end
  return parts
end

return M
