-- Up to which height and at which heading can matches between two aerial views be trusted, and what does that take?
--
-- Every cell matches one query view against a clean reference view of the same place and compares with the truth, which is
-- known exactly: backbones x rotation search off and on x altitudes x headings x places x thresholds. With the search the
-- reference is turned by every 45 degrees and the turn that has most inliers is kept; none of the headings is a multiple of
-- 45, but that of 0. The answer is told in words: the setting with the largest area under the share of pairs by corner error up
-- to 10 px, how it fares by altitude and heading, and what it is without the search. Without arguments the ground is a
-- synthetic scene and the query is disturbed in light, blur, noise and tilt. On real photographs:
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

local OPTIONS = { image_size = 336, stage = 16 } -- 21 x 28 tokens
local BACKBONES = { "efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2" }
local TURNS_DEG = im.range(0, 315, 45) -- by which the reference is turned with rotation search
local LIMIT_PX = 10 -- a pair within it counts as right
local WITHIN = "share@" .. LIMIT_PX

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

-- What a cell does: see(p) shows the views of its pair, match(p) matches them. Apart, because rendering is not to be timed.
local function stages(pairs_of)
  local query, reference
  -- Features of the query, and of the reference in the turn that is best, which does not depend on the threshold.
  local features_of = im.memoize(function(_, _, _, backbone, search) -- place, altitude and rotation are those of the views
    local a = im.backbone.features(query, backbone, OPTIONS)
    local turns = search == "on" and TURNS_DEG or { 0 }
    local b = im.backbone.rotations(reference, turns, backbone, OPTIONS)
    local how = { model = "similarity", match = { match_th = 0.3, line_th = 0 } }
    local _, found = im.match.rotation_search(a, b, how)
    for i, turn_deg in ipairs(turns) do
      if turn_deg == found.rotation_deg then
        return a, b[i]
      end
    end
  end, 2)
  return {
    see = function(p)
      local truth
      query, reference, truth = pairs_of(p.place, p.altitude_m, p.rotation_deg)
      return query, reference, truth
    end,
    match = function(p)
      local a, b = features_of(p.place, p.altitude_m, p.rotation_deg, p.backbone, p.rotation_search)
      local matches = im.match.mutual_nearest(a, b, { match_th = p.match_th, line_th = 0, max_features = 2000 })
      matches = im.match.refine(matches, a, b)
      return matches, im.match.geometry(matches, { iterations = 2000 })
    end,
  }
end

-- Other weights are another experiment.
for _, name in ipairs(BACKBONES) do
  inputs[#inputs + 1] = assert(im.backbone.open(name, OPTIONS)):weights_sha256()
end

--- "61 % (52 to 70 %)": a share and its interval.
local function percent(group)
  return ("%.0f %% (%.0f to %.0f %%)"):format(100 * group.value, 100 * group.low, 100 * group.high)
end

--- What the best settings with and without rotation search say, in words.
local function answer(result)
  local of, best = {}, result:best()
  for _, setting in ipairs(best.settings) do
    of[setting.params.rotation_search] = setting
  end
  local function within(setting)
    return percent(setting.also[3])
  end
  local on, heights = of.on, {}
  for i, group in ipairs(on.along[2].values) do
    heights[i] = ("%.0f %% from %g m"):format(100 * group.value, group.altitude_m)
  end
  local least = 1
  for _, group in ipairs(on.along[1].values) do
    least = math.min(least, group.value)
  end
  return ("With rotation search, %s at match_th %g finds the homography within %d px in %s of %d pairs, whatever the heading "
    .. "(%.0f %% at the worst of %d): %s. Without the search it is %s, by %s at match_th %g. In brackets the 95 %% interval over "
    .. "%d places."):format(on.params.backbone, on.params.match_th, LIMIT_PX, within(on), on.num_cells, 100 * least,
    #on.along[1].values, table.concat(heights, ", "), within(of.off), of.off.params.backbone, of.off.params.match_th,
    on.num_units)
end

local result = im.sweep {
  name = args.map and "thresholds-map" or "thresholds",
  out = args.out,
  axes = {
    backbone = BACKBONES,
    rotation_search = { "off", "on" },
    altitude_m = args.map and { 60, 80, 110 } or { 80, 120, 180 }, -- the photographs' own footprints are those of about 80 m
    rotation_deg = im.range(0, 350, 50),
    place = places,
    match_th = { 0.1, 0.3, 0.5, 0.7, 0.9 },
  },
  -- Cells of one pair of views follow each other.
  order = { "place", "altitude_m", "rotation_deg", "backbone", "rotation_search", "match_th" },
  inputs = inputs,
  setup = function()
    for _, name in ipairs(BACKBONES) do -- the first picture takes longer, that is not to be measured
      im.backbone.open(name, OPTIONS):features(im.image.new(640, 480))
    end
    return stages(im.memoize(args.map and real_map(rows) or synthetic_scene(), 2))
  end,
  measure = function(p, _, pair)
    local _, _, reference_from_query = pair.see(p)
    local watch = im.stopwatch()
    local matches, geometry = pair.match(p)
    local time_ms, time_spent_ms = watch:time_ms(), watch:time_spent_ms()
    local score = im.evaluate.homography(matches, geometry, reference_from_query)
    return {
      num_matches = score.num_matches,
      num_inliers = score.num_inliers,
      inlier_ratio = score.inlier_ratio,
      precision = score.precision,
      corner_error_px = score.corner_error_px,
      matched = im.match.verdict(matches, geometry, { num_tries = p.rotation_search == "on" and #TURNS_DEG or 1 }).matched,
      time_ms = time_ms,
      time_spent_ms = time_spent_ms,
    }
  end,
  picture = function(p, cell, pair)
    local query, reference = pair.see(p)
    local matches, geometry = pair.match(p)
    cell:save_image("matches", im.image.draw_matches(query, reference, matches, geometry:inliers(), {
      caption = ("%s, rotation search %s, %g m, %g deg, match_th %g: %d inliers of %d matches"):format(p.backbone,
        p.rotation_search, p.altitude_m, p.rotation_deg, p.match_th, geometry:num_inliers(), matches:len()),
    }))
  end,
  best = {
    metric = "corner_error_px", direction = "min", statistic = "auc@10", over = { "place", "rotation_deg", "altitude_m" },
    units = { "place" }, compare = "rotation_search", along = { "rotation_deg", "altitude_m" }, along_statistic = WITHIN,
    also = { "auc@3", "auc@5", WITHIN, "median" },
  },
  answer = answer,
  report = {
    metric = "corner_error_px", statistic = WITHIN, line_x = "match_th", line_color = "rotation_search",
    heat_x = "rotation_deg", heat_y = "altitude_m", heat_facet = "rotation_search",
  },
}
return result
