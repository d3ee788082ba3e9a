-- How far may a photo differ in altitude and heading from the map it is looked for on?
--
-- A synthetic scene is prepared as maps of tiles 80 m wide at eight headings, overlapping by a half and by 70 %. Photos of
-- it are taken at places, altitudes and headings that the lattice does not have, disturbed in light, blur and noise, and
-- localised; the truth is exact. The report shows the recall of retrieval alone (a tile within 25 m among the first k), and the
-- error of the predictions, as heat maps over altitude and heading for each overlap.
local im = require "imatch"

local parser = im.arguments("altitude_rotation.lua", "Localisation over altitudes and headings on synthetic ground.")
parser:option("--places", "photos at each altitude and heading"):default("3"):convert(tonumber)
parser:option("--out", "folder of the run folders"):default "runs"
local args = parser:parse { ... }

local SEED, SIZE_M, WIDTH_M, FOV_DEG, RADIUS_M = 11, 320, 80, 60, 25
local OVERLAPS = { 0.5, 0.7 } -- of neighbouring tiles
local BACKBONE, OPTIONS = "efficientnet_lite0", { image_size = 224, stage = 16 }

return im.sweep {
  name = "altitude-rotation",
  out = args.out,
  axes = { altitude_m = { 45, 58, 70, 85, 105 }, rotation_deg = im.range(0, 330, 30), overlap = OVERLAPS,
    place = im.range(1, args.places) },
  order = { "overlap", "place", "altitude_m", "rotation_deg" },
  inputs = { SEED, SIZE_M, WIDTH_M, BACKBONE, OPTIONS },
  setup = function()
    local world = im.render.world { seed = SEED, size_m = SIZE_M }
    local maps = {}
    for _, overlap in ipairs(OVERLAPS) do -- they share what they see of the ground through the feature cache
      maps[overlap] = assert(im.localize.reference_map(world, BACKBONE, OPTIONS, { width_m = WIDTH_M, scales = { 0.8, 1.1 },
        overlap = overlap, heading_step_deg = 45, image_width = 640, image_height = 480 }))
    end
    return { world = world, maps = maps }
  end,
  measure = function(p, _, shared)
    -- Places lie in the inner half of the map, whatever shows there; the same ones for each overlap.
    math.randomseed(p.place * 1000 + p.altitude_m + p.rotation_deg / 1000)
    local x_m = (math.random() - 0.5) * SIZE_M / 2
    local y_m = (math.random() - 0.5) * SIZE_M / 2
    local photo = shared.world:view {
      x_m = x_m, y_m = y_m, altitude_m = p.altitude_m, heading_deg = p.rotation_deg, fov_deg = FOV_DEG, width = 640, height = 480,
      tilt_deg = 0, blur_px = 0.7, noise = 5, gamma = 1.15, brightness = 10, seed = p.place * 1000 + p.rotation_deg,
    }
    local started = im.now()
    local map = shared.maps[p.overlap]
    local location = map:locate(photo:image())
    local error_m = location.x_m and math.sqrt((location.x_m - x_m) ^ 2 + (location.y_m - y_m) ^ 2) or nil
    local time_ms = 1000 * (im.now() - started)
    local rank = math.huge
    for k, tile in ipairs(map:retrieve(photo:image(), 5)) do
      if math.sqrt((tile.x_m - x_m) ^ 2 + (tile.y_m - y_m) ^ 2) <= RADIUS_M then
        rank = math.min(rank, k)
      end
    end
    return {
      recall_1 = rank <= 1 and 1 or 0,
      recall_5 = rank <= 5 and 1 or 0,
      found = location.found and 1 or 0,
      within_1m = location.found and error_m <= 1 and 1 or 0,
      wrong = location.found and error_m > 5 and 1 or 0,
      error_m = error_m,
      heading_error_deg = location.x_m and math.abs(im.geo.angle_difference_deg(location.heading_deg, p.rotation_deg)) or nil,
      num_inliers = location.num_inliers,
      time_ms = time_ms,
    }
  end,
  best = { metric = "error_m", direction = "min", over = { "place", "rotation_deg" } },
  report = { metric = "recall_1", line_x = "altitude_m", heat_x = "rotation_deg", heat_y = "altitude_m",
    heat_facet = "overlap" },
}
