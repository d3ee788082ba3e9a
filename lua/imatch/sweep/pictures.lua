-- Which cells of a sweep the report shows.
local native = require "imatch.native"

jit.off(true, true) -- compiled traces would keep runs alive

local M = {}

local function is_same(a, b)
  return a == b or (type(a) == "table" and type(b) == "table" and native.run.key(a) == native.run.key(b))
end

--- Cells whose pictures the report shows: best and worst by the metric, and some in between. Each differs from the others
--- in two axes at least, as long as there are such: neighbours look alike.
function M.cells(run, plan, names, best_options, num_pictures)
  local ranked = best_options and run:rank(best_options.metric, best_options.direction or "min") or {}
  if #ranked == 0 then
    for cell = 1, #plan do
      ranked[cell] = cell
    end
  end
  local cells, taken = {}, {}
  local function is_alike(cell)
    local params = plan:params(cell)
    for _, other in ipairs(cells) do
      local num_different = 0
      for _, name in ipairs(names) do
        num_different = num_different + (is_same(params[name], other.params[name]) and 0 or 1)
      end
      if num_different < 2 then
        return true
      end
    end
    return false
  end
  --- Takes the first cell from `first` on, in steps of `step`, that is unlike the others; without one, the first free one.
  local function take(first, step)
    local free
    for rank = first, math.min(math.max(first + 200 * step, 1), #ranked), step do
      local cell = ranked[rank]
      if cell and not taken[cell] then
        free = free or cell
        if not is_alike(cell) then
          free = cell
          break
        end
      end
    end
    if free and #cells < num_pictures then
      taken[free] = true
      cells[#cells + 1] = { index = free, params = plan:params(free) }
    end
  end
  local third = num_pictures / 3
  for i = 1, math.ceil(third) do
    take(1, 1)
    take(#ranked, -1)
    take(math.floor(i * #ranked / (third + 1)) + 1, 1)
  end
  local indices = {}
  for i, cell in ipairs(cells) do
    indices[i] = cell.index
  end
  return indices
end

return M
