-- Is one backbone better than the other, or is it noise? Both are measured at the same places, so the difference is taken
-- pair by pair, and its 95 % interval is drawn from places: what happens at one place under several headings does not count
-- as independent evidence. When 0 lies in the interval, more places are needed: run it again with a larger number.
--
--   imatch-lua experiments/better_or_noise.lua [PLACES]
local im = require "imatch"
local num_places = tonumber((...)) or 6

local result = im.sweep {
  name = "better_or_noise",
  axes = {
    backbone = { "dense_sift", "efficientnet_lite0" },
    place = im.range(0, num_places - 1),
    rotation_deg = { 0, 10, 30 },
  },
  order = { "place", "rotation_deg" },
  setup = function()
    local world = im.render.world { seed = 7 }
    return im.memoize(function(place, rotation_deg)
      return world:pair {
        place = place, altitude_m = 140, rotation_deg = rotation_deg, blur_px = 1, gamma = 1.3, noise = 6, seed = place,
      }
    end, 1)
  end,
  measure = function(p, _, pair_of)
    local pair = pair_of(p.place, p.rotation_deg)
    local features = im.backbone.features({ pair.query:image(), pair.reference:image() }, p.backbone)
    local matches = im.match.mutual_nearest(features[1], features[2], { match_th = 0.4 })
    local score = im.evaluate.homography(matches, pair.reference_from_query)
    return { precision = score.precision, num_matches = score.num_matches }
  end,
  best = { metric = "precision", direction = "max", over = { "place", "rotation_deg" }, units = { "place" } },
}

local sift, net = { backbone = "dense_sift" }, { backbone = "efficientnet_lite0" }
local difference = result:difference("precision", sift, net, { "place" })
local is_noise = difference.low <= 0 and difference.high >= 0
print(("\nefficientnet_lite0 less dense_sift, share of right matches: %+.3f, 95 %% interval %+.3f to %+.3f, %d places:"):format(
  difference.mean, difference.low, difference.high, num_places))
print("  " .. (is_noise and "cannot be told from noise" or difference.mean > 0 and "better" or "worse"))
return result
