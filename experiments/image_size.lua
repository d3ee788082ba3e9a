-- How large must the picture be that goes into the network? Larger ones cost time and give more, and more exact, matches.
-- Prints accuracy and time for each size, and which sizes no other one beats in both.
--
--   imatch-lua experiments/image_size.lua
local im = require "imatch"
local SIZES = { 160, 224, 320, 448, 640 }

local result = im.sweep {
  name = "image_size",
  axes = { image_size = SIZES, place = im.range(0, 3), rotation_deg = { 0, 15 } },
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
    local start = im.now()
    local features = shared.backbones[p.image_size]:features { query, reference }
    local matches = im.match.mutual_nearest(features[1], features[2], { match_th = 0.5 })
    local time_ms = 1000 * (im.now() - start)
    local score = im.evaluate.homography(matches, im.match.geometry(matches), pair.reference_from_query)
    return {
      precision = score.precision, num_matches = score.num_matches, corner_error_px = score.corner_error_px, time_ms = time_ms,
    }
  end,
  best = { metric = "precision", direction = "max", over = { "place", "rotation_deg" }, units = { "place" } },
}

local on_front = {}
for _, setting in ipairs(result:pareto({ { metric = "num_matches", direction = "max" }, { metric = "time_ms" } },
  { "place", "rotation_deg" })) do
  on_front[setting.params.image_size] = true
end
print "\nsize  right matches       matches  time"
for i, group in ipairs(result:group("precision", { "image_size" }, { "place" })) do
  print(("%4d  %3.0f %% (%.0f to %.0f)  %7.0f  %5.0f ms%s"):format(group.image_size, 100 * group.mean, 100 * group.low,
    100 * group.high, result:group("num_matches", { "image_size" })[i].mean, result:group("time_ms", { "image_size" })[i].mean,
    on_front[group.image_size] and "  not beaten in number and time" or ""))
end
return result
