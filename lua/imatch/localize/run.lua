-- Localises a folder of photos on a map: a sweep over the photos, so that it can be stopped and goes on, with metrics, a
-- map of the predictions and pictures.
local cli = require "imatch.cli"
local im = require "imatch"
local on_map = require "imatch.localize.on_map"
local photos = require "imatch.localize.photos"
local pictures = require "imatch.localize.pictures"
local page = require "imatch.retrieval.report"

local M = {}

local RECALL_K, STRIP_TILES = { 1, 5, 10, 20 }, 5
local MAP_SIGMA_TEXELS = 3 -- what the georeference of orthomosaics is usually good for, along each axis
local SCORED = {
  "found", "error_m", "heading_error_deg", "width_error", "position_sigma_m", "time_ms", "rank", "east_error_m",
  "north_error_m", "east_sigma_m", "north_sigma_m", "east_north_correlation",
}
local TOLD = { "found", "heading_deg", "width_m", "num_inliers", "position_sigma_m" } -- with each point of the GeoJSON

--- Of each row the fields named.
local function pick_all(rows, names)
  local list = {}
  for i, row in ipairs(rows) do
    list[i] = {}
    for _, name in ipairs(names) do
      list[i][name] = row[name]
    end
  end
  return list
end

--- By how much a pose lies beside the truth: metres, metres east, metres north.
local function distance_m(map, pose, truth)
  local x_m, y_m = map:local_from_latlon(truth.latitude_deg, truth.longitude_deg)
  return math.sqrt((pose.x_m - x_m) ^ 2 + (pose.y_m - y_m) ^ 2), pose.x_m - x_m, pose.y_m - y_m
end

--- Says which true positions lie farther off the map than it is large: an exchanged sign, or the truth of other photos.
local function warn_of_far_truth(map, names, truth)
  local e, far = map:extent(), {}
  local reach_m = math.max(e.east_m - e.west_m, e.north_m - e.south_m)
  for _, name in ipairs(names) do
    local x_m, y_m = map:local_from_latlon(truth[name].latitude_deg, truth[name].longitude_deg)
    local off_m = math.max(e.west_m - x_m, x_m - e.east_m, e.south_m - y_m, y_m - e.north_m)
    if not (off_m <= reach_m) then
      far[#far + 1] = ("%s: %.6f %.6f lies %.1f km off the map"):format(name, truth[name].latitude_deg, truth[name].longitude_deg,
        off_m / 1000)
    end
  end
  cli.warn_of("true positions are far off the map:", far)
end

--- options: map (path or Ground), photos (folder), truth (CSV, may be nil), name, out, backbone, backbone_options, tiles
--- (options of localize.reference_map; width_m nil: what the first photo says), locate (options of ReferenceMap:locate),
--- radius_m (a tile centre within it is right), wrong_m (what is found farther off is a false positive), pictures, title.
--- Unless `locate` has map_sigma_m, a GeoTIFF counts as good to three of its texels.
--- Returns the sweep's result, the rows and the metrics; nil, message for input that cannot be used.
---@param options table
---@return table? result
---@return table|string rows
---@return table? metrics
function M.run(options)
  local truth, names, message
  if options.truth then
    truth, message = photos.read_truth(options.truth)
    if not truth then
      return nil, message
    end
  end
  local num_left_out
  names, num_left_out = photos.list(options.photos, truth)
  if not names then
    return nil, num_left_out
  end
  local map
  map, message = im.render.map(options.map)
  if not map then
    return nil, message
  end
  if truth then
    warn_of_far_truth(map, names, truth)
  end
  local first = options.photos .. "/" .. names[1]
  local tiles = {}
  for name, value in pairs(options.tiles) do
    tiles[name] = value
  end
  tiles.width_m = tiles.width_m or photos.width_m(first)
  if not tiles.width_m then
    return nil, ("%s says neither its altitude above ground nor its focal length: give the width of its footprint in "
      .. "metres"):format(first)
  end
  tiles.image_width, tiles.image_height = im.image.size(first)
  local backbone, backbone_options, locate_options = options.backbone, options.backbone_options, {}
  for name, value in pairs(options.locate) do
    locate_options[name] = value
  end
  if not locate_options.map_sigma_m and type(options.map) == "string" then
    locate_options.map_sigma_m = MAP_SIGMA_TEXELS * map:gsd_m()
  end
  local radius_m, folder = options.radius_m, options.photos

  local prepare_s
  local function open(name)
    local photo, why = im.image.open(folder .. "/" .. name)
    return photo or error(why, 0)
  end
  local result = im.sweep {
    name = options.name,
    out = options.out,
    axes = { photo = names },
    -- Another map, or the same in another way, is another run: none of its pages replaces those of this one.
    identity = { options.map, folder, tiles, locate_options, backbone, backbone_options, options.truth or false },
    inputs = function(p)
      local known = truth and truth[p.photo] or false
      return { options.map, folder .. "/" .. p.photo, tiles, locate_options, backbone, backbone_options, known }
    end,
    setup = function()
      local started = im.now()
      local reference, why = im.localize.reference_map(map, backbone, backbone_options, tiles)
      prepare_s = im.now() - started
      return reference or error(why, 0)
    end,
    measure = function(p, _, reference)
      local started = im.now()
      local photo = open(p.photo)
      local features = assert(im.backbone.features(photo, backbone, backbone_options))
      local location = reference:locate(features, locate_options)
      local time_ms = 1000 * (im.now() - started)
      local row = {
        found = location.found, num_matches = location.num_matches, num_inliers = location.num_inliers,
        num_inliers_elsewhere = location.num_inliers_elsewhere,
        latitude_deg = location.latitude_deg, longitude_deg = location.longitude_deg,
        x_m = location.x_m, y_m = location.y_m, heading_deg = location.heading_deg, width_m = location.width_m,
        position_sigma_m = location.position_sigma_m, east_sigma_m = location.east_sigma_m,
        north_sigma_m = location.north_sigma_m,
        east_north_correlation = location.east_north_correlation, heading_sigma_deg = location.heading_sigma_deg,
        width_sigma_m = location.width_sigma_m, time_ms = time_ms, retrieve_ms = location.time_ms.retrieve,
        match_ms = location.time_ms.match, refine_ms = location.time_ms.refine,
      }
      local known = truth and truth[p.photo]
      if known then
        if location.x_m then
          row.error_m, row.east_error_m, row.north_error_m = distance_m(map, location, known)
        end
        row.heading_error_deg = location.x_m and known.heading_deg
          and math.abs(im.geo.angle_difference_deg(location.heading_deg, known.heading_deg))
        row.width_error = location.x_m and known.width_m and math.abs(location.width_m / known.width_m - 1)
        for rank, tile in ipairs(reference:retrieve(features, RECALL_K[#RECALL_K])) do
          if distance_m(map, tile, known) <= radius_m then
            row.rank = rank
            break
          end
        end
      end
      return row
    end,
    pictures = options.pictures,
    picture = function(p, cell, reference)
      local photo = open(p.photo)
      local location = reference:locate(photo, locate_options)
      if location.x_m then
        cell:save_image("matches", pictures.matches(map, photo, location))
      end
      local known = truth and truth[p.photo]
      cell:save_image("retrieved", pictures.strip(map, photo, reference:retrieve(photo, STRIP_TILES), function(tile)
        if known then
          return distance_m(map, tile, known) <= radius_m
        end
      end))
    end,
    best = truth and { metric = "error_m", direction = "min" } or { metric = "num_inliers", direction = "max" },
    report = { metric = truth and "error_m" or "num_inliers" },
  }

  local rows = {}
  for _, row in ipairs(result.rows) do
    if row.status == "ok" then
      row.query, row.truth = row.photo, truth and truth[row.photo]
      row.predicted = row.latitude_deg and { latitude_deg = row.latitude_deg, longitude_deg = row.longitude_deg }
      rows[#rows + 1] = row
    end
  end
  if #rows == 0 then
    return nil, ("no photo could be localised; see %s/failed.csv"):format(result:path())
  end
  local scores = im.evaluate.predictions(pick_all(rows, SCORED), { radius_m = radius_m, wrong_m = options.wrong_m,
    recall_k = RECALL_K })
  local metrics, title = scores.metrics, options.title or options.name
  metrics[#metrics + 1] = { name = "map_sigma_m", unit = "m", value = locate_options.map_sigma_m or 0,
    definition = "standard deviation of the map's georeference along each axis that the predictions count with" }
  local summary = { name = title, metrics = metrics, curves = scores.curves, warnings = {} }
  assert(im.io.write_json(result:path() .. "/summary.json", { metrics = metrics }))
  local queries = pick_all(rows, { "query", "truth", "predicted", "error_m" })
  for i, properties in ipairs(pick_all(rows, TOLD)) do
    queries[i].properties = properties
  end
  assert(im.evaluate.write_geojson(result:path() .. "/predictions.geojson", queries))
  assert(im.evaluate.write_kml(result:path() .. "/predictions.kml", queries))
  local background
  background, message = page.background(options.map, 1600)
  page.write(result:path() .. "/map.html", title, {
    runs = { summary }, num_queries = #rows, radius_m = options.wrong_m, is_localization = true,
    points = on_map.points(map, rows, { folder = folder, thumbnails = result:path() .. "/thumbnails",
      aspect = tiles.image_height / tiles.image_width }),
    background = background or error(message, 0),
  })
  result.prepare_s, result.num_left_out = prepare_s, num_left_out
  return result, rows, metrics
end

M.print = require("imatch.retrieval.evaluation").print

--- How far the predictions' own ellipses may be trusted, in words; nil where the truth is not known.
---@param metrics table[] as M.run gives them
---@return string?
function M.calibration(metrics)
  local value = {}
  for _, metric in ipairs(metrics) do
    value[metric.name] = metric.value
  end
  if not value.coverage_68 then
    return nil
  end
  return ("The true position lies in the 68 %% ellipse for %.0f %% and in the 95 %% ellipse for %.0f %% of the photos found. "
    .. "They count with %.2f m along each axis for the map's own error; %.2f m more would explain the errors best."):format(
    100 * value.coverage_68, 100 * value.coverage_95, value.map_sigma_m, value.map_error_m)
end

return M
