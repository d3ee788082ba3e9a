-- Up to which height, heading and threshold can matches between two aerial views be trusted?
--
-- Every cell matches one query view against a clean reference view of the same place and compares with the truth, which is
-- known exactly: backbones x altitudes x headings x places x thresholds. The best setting is that with the largest area under
-- the share of pairs by corner error up to 10 px; how it fares at each altitude and heading is told beside it. Without arguments
-- the ground is a synthetic scene and the query is disturbed in light, blur, noise and tilt. On real photographs:
--
--   imatch-lua experiments/sweep_thresholds.lua --map MAP.tif --photos DIR --truth FILE.csv
--
-- where FILE.csv has the columns file, latitude_deg, longitude_deg, heading_deg and footprint_width_m.
local im = require "imatch"

local parser = im.arguments("sweep_thresholds.lua", "Matches aerial views across altitudes, headings and thresholds.")
parser:option("--map", "GeoTIFF to match photographs against, in place of the synthetic scene")
parser:option("--photos", "folder of the photographs")
parser:option("--truth", "CSV: file, latitude_deg, longitude_deg, heading_deg, footprint_width_m")
parser:option("--places", "places or photographs, spread evenly"):default("3"):convert(tonumber)
parser:option("--out", "folder of the run folders"):default "runs"
local args = parser:parse { ... }
if args.map and not (args.photos and args.truth) then
  parser:error "--map needs --photos and --truth"
elseif args.places < 1 then
  parser:error "--places: expected a number >= 1"
end

local TOKENS = { -- about as many tokens for both: 21 x 28
  dense_sift = { image_size = 336, step = 16 },
  efficientnet_lite0 = { image_size = 336, stage = 16 },
}

-- A synthetic scene: the reference looks straight down from 120 m.
local function synthetic_scene()
  local world = im.render.world { seed = 7 }
  return function(place, altitude_m, rotation_deg)
    local pair = world:pair {
      place = place, altitude_m = altitude_m, rotation_deg = rotation_deg, reference_altitude_m = 120,
      tilt_deg = 6, blur_px = 0.7, contrast = 0.9, brightness = 10, gamma = 1.15, noise = 5, seed = place,
    }
    return pair.query:image(), pair.reference:image(), pair.reference_from_query
  end
end

-- A real map: the reference is the map below the photograph's true place, seen from the swept altitude and rotated by the
-- swept heading. Photographs taken straight down show the ground as a camera does whose footprint has their width.
local function real_map(rows)
  local map = assert(im.render.map(args.map))
  return function(place, altitude_m, rotation_deg)
    local row = rows[place]
    local photo = assert(im.image.open(args.photos .. "/" .. row.file))
    local x_m, y_m = map:local_from_latlon(tonumber(row.latitude_deg), tonumber(row.longitude_deg))
    local heading_deg = tonumber(row.heading_deg)
    local reference = map:view {
      x_m = x_m, y_m = y_m, altitude_m = altitude_m, heading_deg = heading_deg - rotation_deg, width = 640, height = 480,
    }
    local ground_from_photo = im.homography.of_camera {
      x_m = x_m, y_m = y_m, heading_deg = heading_deg, fov_deg = 60, width = photo:width(), height = photo:height(),
      altitude_m = im.geo.altitude_for_width_m(tonumber(row.footprint_width_m), 60),
    }
    local reference_from_ground = im.homography.inverse(reference:ground_from_image())
    return photo, reference:image(), im.homography.compose(reference_from_ground, ground_from_photo)
  end
end

local places, inputs, rows = im.range(0, args.places - 1), {}, nil
if args.map then
  rows = assert(im.io.read_csv(args.truth))
  for _, column in ipairs { "file", "latitude_deg", "longitude_deg", "heading_deg", "footprint_width_m" } do
    if #rows == 0 or not rows[1][column] then
      parser:error(("--truth %s: no rows, or no column '%s'"):format(args.truth, column))
    end
  end
  places, inputs = {}, { args.map, args.truth }
  for i = 1, math.min(args.places, #rows) do
    local row = math.floor((i - 0.5) * #rows / math.min(args.places, #rows)) + 1
    places[i] = row
    inputs[#inputs + 1] = args.photos .. "/" .. rows[row].file
  end
end

local function matches_of(p, pairs_of)
  local query, reference, reference_from_query = pairs_of(p.place, p.altitude_m, p.rotation_deg)
  local features = assert(im.backbone.features({ query, reference }, p.backbone, TOKENS[p.backbone]))
  local matches = im.match.mutual_nearest(features[1], features[2], { match_th = p.match_th, line_th = 0, max_features = 2000 })
  return matches, im.match.geometry(matches), reference_from_query, query, reference
end

-- Other weights are another experiment.
inputs[#inputs + 1] = assert(im.backbone.open("efficientnet_lite0", TOKENS.efficientnet_lite0)):weights_sha256()

local result = im.sweep {
  name = args.map and "thresholds-map" or "thresholds",
  out = args.out,
  axes = {
    backbone = { "dense_sift", "efficientnet_lite0" },
    altitude_m = args.map and { 60, 80, 110 } or { 80, 120, 180 }, -- the photographs' own footprints are those of about 80 m
    rotation_deg = im.range(0, 315, 45),
    place = places,
    match_th = { 0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9 },
  },
  order = { "place", "altitude_m", "rotation_deg", "backbone", "match_th" }, -- cells of one pair of views follow each other
  inputs = inputs,
  setup = function()
    return im.memoize(args.map and real_map(rows) or synthetic_scene(), 2)
  end,
  measure = function(p, _, pairs_of)
    local start = im.now()
    local matches, geometry, reference_from_query = matches_of(p, pairs_of)
    local score = im.evaluate.homography(matches, geometry, reference_from_query)
    return {
      num_matches = score.num_matches,
      num_inliers = score.num_inliers,
      inlier_ratio = score.inlier_ratio,
      precision = score.precision,
      corner_error_px = score.corner_error_px,
      time_ms = 1000 * (im.now() - start),
    }
  end,
  picture = function(p, cell, pairs_of)
    local matches, geometry, _, query, reference = matches_of(p, pairs_of)
    cell:save_image("matches", im.image.draw_matches(query, reference, matches, geometry:inliers(), {
      caption = ("%s, %g m, %g deg, match_th %g: %d inliers of %d matches"):format(p.backbone, p.altitude_m, p.rotation_deg,
        p.match_th, geometry:num_inliers(), matches:len()),
    }))
  end,
  best = {
    metric = "corner_error_px", direction = "min", statistic = "auc@10", over = { "place", "rotation_deg", "altitude_m" },
    units = { "place" }, compare = "backbone", along = { "rotation_deg", "altitude_m" }, along_statistic = "share@10",
  },
  report = {
    metric = "corner_error_px", statistic = "share@10", line_x = "match_th", line_color = "backbone",
    heat_x = "rotation_deg", heat_y = "altitude_m", heat_facet = "backbone",
  },
}
return result
