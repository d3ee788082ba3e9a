-- How much may a drone's pictures be compressed before matching suffers? Query views of a synthetic scene are stored as
-- JPEG at falling quality, read back and matched with clean reference views; the truth is known. Prints, for each quality,
-- the size of a picture and the share of right matches with its 95 % interval over places.
--
--   imatch-lua experiments/jpeg_quality.lua
local im = require "imatch"

local result = im.sweep {
  name = "jpeg_quality",
  axes = { quality = { 2, 5, 10, 20, 40, 95 }, backbone = { "dense_sift", "efficientnet_lite0" }, place = im.range(0, 5) },
  order = { "place" },
  setup = function()
    local world = im.render.world { seed = 7 }
    return im.memoize(function(place)
      return world:pair { place = place, altitude_m = 100, rotation_deg = 15, tilt_deg = 5 }
    end, 1)
  end,
  measure = function(p, _, pair_of)
    local pair = pair_of(p.place)
    local bytes = pair.query:image():encode("jpg", { quality = p.quality })
    local features = im.backbone.features({ assert(im.image.decode(bytes)), pair.reference:image() }, p.backbone)
    local score = im.evaluate.homography(im.match.mutual_nearest(features[1], features[2]), pair.reference_from_query)
    return { kilobytes = #bytes / 1000, precision = score.precision, corner_error_px = score.corner_error_px }
  end,
  best = { metric = "precision", direction = "max", over = { "place" }, units = { "place" } },
}

local kilobytes = {}
for _, group in ipairs(result:group("kilobytes", { "quality" })) do
  kilobytes[group.quality] = group.mean
end
print "\nquality     kB  right matches (95 % interval)"
for _, group in ipairs(result:group("precision", { "backbone", "quality" }, { "place" })) do
  print(("%7d  %5.1f  %3.0f %% (%.0f to %.0f)  %s"):format(group.quality, kilobytes[group.quality], 100 * group.mean,
    100 * group.low, 100 * group.high, group.backbone))
end
return result
