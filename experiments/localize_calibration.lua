-- Are the ellipses that localisation gives its positions as large as its errors?
--
-- Photos of synthetic scenes are taken at random places, headings and altitudes, disturbed in light, blur and noise, and found
-- on maps of the same scenes, which are exact: nothing but the matching is wrong. Told are the shares of true positions inside of
-- the 68 % and the 95 % ellipse, and how much error is left that the predictions do not account for. The same numbers for real
-- photos on a real map, whose own error is then added, are those of `imatch-lua localize --truth`.
local im = require "imatch"

local parser = im.arguments("localize_calibration.lua", "Predicted against true errors on synthetic maps.")
parser:option("--photos", "of each scene"):default("50"):convert(tonumber)
parser:option("--scenes", "how many"):default("4"):convert(tonumber)
parser:option("--out", "folder of the run folders"):default "runs"
local args = parser:parse { ... }

local SIZE_M, WIDTH_M, FOV_DEG = 320, 80, 60
local BACKBONE, OPTIONS = "efficientnet_lite0", { image_size = 336, stage = 16 }

--- The metrics that im.evaluate.predictions gives of the cells, by name.
local function scores_of(result)
  local predictions, by_name = {}, {}
  for _, row in ipairs(result.rows) do
    if row.status == "ok" then
      predictions[#predictions + 1] = {
        found = row.found, error_m = row.error_m, east_error_m = row.east_error_m, north_error_m = row.north_error_m,
        east_sigma_m = row.east_sigma_m, north_sigma_m = row.north_sigma_m, position_sigma_m = row.position_sigma_m,
        east_north_correlation = row.east_north_correlation,
      }
    end
  end
  for _, metric in ipairs(im.evaluate.predictions(predictions, { radius_m = 25, wrong_m = 5, recall_k = { 1 } }).metrics) do
    by_name[metric.name] = metric.value
  end
  return by_name, #predictions
end

return im.sweep {
  name = "localize-calibration",
  out = args.out,
  axes = { scene = im.range(1, args.scenes), photo = im.range(1, args.photos) },
  order = { "scene", "photo" },
  inputs = { SIZE_M, WIDTH_M, BACKBONE, OPTIONS },
  setup = function()
    return im.memoize(function(scene)
      local world = im.render.world { seed = 100 + scene, size_m = SIZE_M }
      return { world = world, map = assert(im.localize.reference_map(world, BACKBONE, OPTIONS, { width_m = WIDTH_M,
        scales = { 1 }, overlap = 0.6, heading_step_deg = 45, image_width = 640, image_height = 480 })) }
    end, 1)
  end,
  measure = function(p, cell, scenes)
    local on = scenes(p.scene)
    local x_m, y_m = (math.random() - 0.5) * SIZE_M / 2, (math.random() - 0.5) * SIZE_M / 2
    local photo = on.world:view {
      x_m = x_m, y_m = y_m, altitude_m = 60 + 20 * math.random(), heading_deg = 360 * math.random(), fov_deg = FOV_DEG,
      width = 640, height = 480, tilt_deg = 0, blur_px = 0.7, noise = 5, gamma = 1.15, brightness = 10, seed = cell.index,
    }
    local location = on.map:locate(photo:image())
    local east_m, north_m = location.x_m and location.x_m - x_m, location.y_m and location.y_m - y_m
    return {
      found = location.found, error_m = east_m and math.sqrt(east_m ^ 2 + north_m ^ 2), east_error_m = east_m,
      north_error_m = north_m, east_sigma_m = location.east_sigma_m, north_sigma_m = location.north_sigma_m,
      east_north_correlation = location.east_north_correlation, position_sigma_m = location.position_sigma_m,
    }
  end,
  answer = function(result)
    local scores, count = scores_of(result)
    return ("Of %d photos %.1f %% are found. Of these the true position lies in the 68 %% ellipse for %.1f %%, in the 95 %% "
      .. "ellipse for %.1f %%; the median error is %.3f m where %.3f m are claimed, and %.3f m along each axis are not accounted "
      .. "for."):format(count,
      100 * scores.found_rate, 100 * scores.coverage_68, 100 * scores.coverage_95, scores.top1_median_m, scores.sigma_median_m,
      scores.map_error_m)
  end,
  best = { metric = "error_m", direction = "min", statistic = "median", over = { "scene", "photo" }, units = { "scene" } },
  report = { metric = "error_m", line_x = "photo", line_color = "scene" },
}
