-- Seconds of a sweep of 10,000 cells in FOLDER that are finished already; the first call measures them.
local im = require "imatch"

local start = im.now()
local result = im.sweep {
  name = "cached_cells",
  out = (...),
  axes = { altitude_m = im.range(1, 100), rotation_deg = im.range(1, 100) },
  measure = function(p)
    return { score = p.altitude_m * p.rotation_deg, error_px = p.altitude_m / p.rotation_deg, num_matches = p.rotation_deg }
  end,
  quiet = true,
  report = false,
}
assert(result.num_cells == 10000)
print(im.now() - start)
