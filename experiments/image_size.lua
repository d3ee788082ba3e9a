-- How large must the picture be that goes into the network? Larger ones cost time and give more, and more exact, matches.
-- Prints accuracy and time for each size, and which sizes no other one beats in both. Errors are in pixels of the original
-- pictures, whatever the size of the network's cells: a tolerance of one cell would favour the coarsest grid.
--
--   imatch-lua experiments/image_size.lua
local im = require "imatch"
local SIZES = { 160, 224, 320, 448, 640 }
local OVER, UNITS, LIMIT_PX = { "place", "rotation_deg" }, { "place" }, 5

local result = im.sweep {
  name = "image_size",
  axes = { image_size = SIZES, place = im.range(0, 7), rotation_deg = { 0, 15 } },
  order = { "place", "rotation_deg" },
  setup = function()
    im.cache.configure { enabled = false } -- features that were kept cost nothing
    local world, backbones = im.render.world { seed = 7 }, {}
    for _, size in ipairs(SIZES) do -- the first picture of a size takes longer, that is not to be measured
      backbones[size] = assert(im.backbone.open("efficientnet_lite0", { stage = 16, image_size = size }))
      backbones[size]:features(im.image.new(640, 480))
    end
    local pair_of = im.memoize(function(place, rotation_deg)
      return world:pair { place = place, altitude_m = 120, rotation_deg = rotation_deg, noise = 3, seed = place }
    end, 1)
    return { pair_of = pair_of, backbones = backbones }
  end,
  measure = function(p, _, shared)
    local pair = shared.pair_of(p.place, p.rotation_deg)
    local query, reference = pair.query:image(), pair.reference:image()
    local watch = im.stopwatch()
    local features = shared.backbones[p.image_size]:features { query, reference }
    local matches = im.match.mutual_nearest(features[1], features[2], { match_th = 0.5 })
    matches = im.match.refine(matches, features[1], features[2])
    local geometry = im.match.geometry(matches)
    local time_ms = watch:time_ms()
    local score = im.evaluate.homography(matches, geometry, pair.reference_from_query, { mma_px = { LIMIT_PX } })
    return {
      right_matches = score["mma_" .. LIMIT_PX .. "px"], num_matches = score.num_matches,
      corner_error_px = score.corner_error_px, time_ms = time_ms,
    }
  end,
  best = { metric = "corner_error_px", direction = "min", statistic = "auc@" .. LIMIT_PX, over = OVER, units = UNITS,
    also = { "median", "share@" .. LIMIT_PX } },
  report = { metric = "corner_error_px", statistic = "median", line_x = "image_size", heat_x = "image_size", heat_y = "place" },
}

--- A statistic of each size, with its interval.
local function by_size(metric, statistic)
  local groups = result:group(metric, { "image_size" }, UNITS, { statistic = statistic or "mean" })
  local of_size = {}
  for _, group in ipairs(groups) do
    of_size[group.image_size] = group
  end
  return of_size
end

local error_px, right = by_size("corner_error_px", "median"), by_size "right_matches"
local number, time_ms = by_size "num_matches", by_size "time_ms"
print(("\nsize  corner error, median (95 %%)   matches within %d px  matches     time"):format(LIMIT_PX))
for _, size in ipairs(SIZES) do
  local is_beaten = false
  for _, other in ipairs(SIZES) do
    is_beaten = is_beaten or time_ms[other].value < time_ms[size].value and error_px[other].value <= error_px[size].value
  end
  local error = error_px[size]
  print(("%4d  %5.2f px (%5.2f to %6.2f px)  %16.0f %%  %12.0f  %4.0f ms%s"):format(size, error.value, error.low, error.high,
    100 * right[size].value, number[size].value, time_ms[size].value, is_beaten and "" or "  not beaten in error and time"))
end
return result
