-- How far may a photo differ in altitude and heading from the map it is looked for on?
--
-- A made-up countryside is prepared as a map of tiles 80 m wide at eight headings. Photos of it are taken at places,
-- altitudes and headings that the lattice does not have, disturbed in light, blur, noise and tilt, and localised; the truth
-- is exact. The report shows the error as a heat map over altitude and heading.
local im = require "imatch"

local parser = im.arguments("altitude_rotation.lua", "Localisation over altitudes and headings on made-up ground.")
parser:option("--places", "photos at each altitude and heading"):default("3"):convert(tonumber)
parser:option("--out", "folder of the run folders"):default "runs"
local args = parser:parse { ... }

local SEED, SIZE_M, WIDTH_M, FOV_DEG = 11, 320, 80, 60
local BACKBONE, OPTIONS = "efficientnet_lite0", { image_size = 224, stage = 16 }

return im.sweep {
  name = "altitude-rotation",
  out = args.out,
  axes = { altitude_m = { 45, 58, 70, 85, 105 }, rotation_deg = im.range(0, 330, 30), place = im.range(1, args.places) },
  order = { "place", "altitude_m", "rotation_deg" },
  inputs = { SEED, SIZE_M, WIDTH_M, BACKBONE, OPTIONS },
  setup = function()
    local world = im.render.world { seed = SEED, size_m = SIZE_M }
    local map = im.localize.reference_map(world, BACKBONE, OPTIONS,
      { width_m = WIDTH_M, scales = { 0.8, 1.1 }, heading_step_deg = 45, image_width = 640, image_height = 480 })
    return { world = world, map = assert(map) }
  end,
  measure = function(p, cell, shared)
    -- Places lie in the inner half of the map, whatever shows there.
    local x_m = (math.random() - 0.5) * SIZE_M / 2
    local y_m = (math.random() - 0.5) * SIZE_M / 2
    local photo = shared.world:view {
      x_m = x_m, y_m = y_m, altitude_m = p.altitude_m, heading_deg = p.rotation_deg, fov_deg = FOV_DEG, width = 640, height = 480,
      tilt_deg = 0, blur_px = 0.7, noise = 5, gamma = 1.15, brightness = 10, seed = cell.index,
    }
    local started = im.now()
    local answer = shared.map:locate(photo:image())
    local error_m = answer.x_m and math.sqrt((answer.x_m - x_m) ^ 2 + (answer.y_m - y_m) ^ 2) or nil
    return {
      found = answer.found and 1 or 0,
      within_1m = answer.found and error_m <= 1 and 1 or 0,
      wrong = answer.found and error_m > 5 and 1 or 0,
      error_m = error_m,
      heading_error_deg = answer.x_m and math.abs(im.geo.angle_difference_deg(answer.heading_deg, p.rotation_deg)) or nil,
      num_inliers = answer.num_inliers,
      time_ms = 1000 * (im.now() - started),
    }
  end,
  best = { metric = "error_m", direction = "min", over = { "place", "rotation_deg" } },
  report = { metric = "within_1m", line_x = "altitude_m", heat_x = "rotation_deg", heat_y = "altitude_m" },
}
