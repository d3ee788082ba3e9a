-- A sweep over a list of points in a file instead of combinations of axes: each row is one flight with its own altitude,
-- tilt and light, crossed with two thresholds. A row that occurs twice runs once; an empty field leaves a parameter to its
-- default. plan.csv and failed.csv of a run folder are such files too.
--
--   imatch-lua experiments/listed_points.lua [FLIGHTS.csv]
local im = require "imatch"
local path = ...
if not path then
  path = os.tmpname()
  assert(im.io.write_csv(path, {
    { flight = "calm", altitude_m = 80, tilt_deg = 0 },
    { flight = "windy", altitude_m = 80, tilt_deg = 12 },
    { flight = "high", altitude_m = 200, tilt_deg = 3 },
    { flight = "dusk", altitude_m = 80, tilt_deg = 3, gamma = 2.2 },
    { flight = "calm", altitude_m = 80, tilt_deg = 0 }, -- listed twice
  }, { "flight", "altitude_m", "tilt_deg", "gamma" }))
end

local result = im.sweep {
  name = "listed_points",
  points = assert(im.points(path)),
  axes = { match_th = { 0.3, 0.9 } },
  setup = function()
    return im.render.world { seed = 7 }
  end,
  measure = function(p, _, world)
    local pair = world:pair { place = 2, altitude_m = p.altitude_m, tilt_deg = p.tilt_deg, gamma = p.gamma }
    local features = im.backbone.features({ pair.query:image(), pair.reference:image() }, "dense_sift")
    local matches = im.match.mutual_nearest(features[1], features[2], { match_th = p.match_th })
    local score = im.evaluate.homography(matches, im.match.geometry(matches), pair.reference_from_query)
    return { precision = score.precision, num_matches = score.num_matches, corner_error_px = score.corner_error_px }
  end,
  best = { metric = "precision", direction = "max" },
}

for _, row in ipairs(result.rows) do
  print(("%-6s match_th %.1f: %3.0f %% of %4d matches are right"):format(row.flight, row.match_th, 100 * row.precision,
    row.num_matches))
end
return result
