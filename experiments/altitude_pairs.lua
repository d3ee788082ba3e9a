-- How well do photographs from one altitude match those from another?
--
--   imatch-lua experiments/altitude_pairs.lua --root DIR [--truth FILE]
--
-- DIR holds photographs named <ID>_<ALT>_<FRAME>. Each is matched with its partner at every other altitude: the nearest one where
-- positions are known, else that of the same ID and FRAME; with every backbone, with rotation search off and on, at every
-- threshold. Positions stand in FILE (a CSV with file, latitude_deg, longitude_deg, heading_deg, footprint_width_m; an annotation
-- or label index) or in the photographs (GPS; relative altitude, focal length and gimbal yaw). Where they and the reference's
-- width are known, a pair is right when the query's centre comes out within --limit-m of the truth; where its heading is not,
-- when it comes out at the true distance. Else the verdict of match.verdict counts, and the table's column `judged_by` says so.
-- The picture is the heat map of query altitude against reference altitude.
local im = require "imatch"

local parser = im.arguments("altitude_pairs.lua", "Matches photographs across altitudes.")
parser:option("--root", "folder of photographs <ID>_<ALT>_<FRAME>"):count(1)
parser:option("--truth", "positions (default: what the photographs say)")
parser:option("--limit-m", "largest error of a right pair on the ground"):default("5"):convert(tonumber)
parser:option("--fov-deg", "horizontal field of view, where photographs do not say it; ALT is then the height"):convert(tonumber)
parser:option("--frames", "photographs of an altitude, spread evenly; 0: all"):default("10"):convert(tonumber)
parser:option("--backbones", "names"):args("+"):default "efficientnet_lite0"
parser:option("--image-size", "side of the networks' input in pixels"):default("448"):convert(tonumber)
parser:option("--out", "folder of the run folders"):default "runs"
local args = parser:parse { ... }
local backbones = type(args.backbones) == "table" and args.backbones or { args.backbones }
local OPTIONS, TURNS_DEG = { image_size = args.image_size }, im.range(0, 315, 45)

-- ---- The photographs and what is known of them

local known = {} -- by file name, from FILE
local positions = args.truth and not args.truth:find "%.csv$" and assert(im.retrieval.positions(args.truth))
for _, row in ipairs(args.truth and not positions and assert(im.io.read_csv(args.truth)) or {}) do
  known[row.file or parser:error(args.truth .. ": no column 'file'")] = row
end

local function photo_of(path, altitude, frame)
  local name, said = path:match "[^/]+$", assert(im.image.metadata(args.root .. "/" .. path))
  local row = known[name] or {}
  local latitude_deg, longitude_deg = tonumber(row.latitude_deg), tonumber(row.longitude_deg)
  if positions then
    latitude_deg, longitude_deg = positions:find(name)
  elseif not args.truth then
    latitude_deg, longitude_deg = said.latitude_deg, said.longitude_deg
    if latitude_deg and said.warning then
      io.stderr:write(("%s: %s\n"):format(path, said.warning))
    end
  end
  local focal_mm = said.focal_length_35mm_mm
  local fov_deg = args.fov_deg or focal_mm and focal_mm > 0 and math.deg(2 * math.atan(18 / focal_mm))
  local height_m = said.relative_altitude_m or tonumber(altitude)
  return {
    path = args.root .. "/" .. path, id = name:match "^(.*)_%d+_%d+%.", altitude = tonumber(altitude), frame = frame,
    latitude_deg = latitude_deg, longitude_deg = longitude_deg, heading_deg = tonumber(row.heading_deg) or said.gimbal_yaw_deg,
    width_m = tonumber(row.footprint_width_m) or fov_deg and im.geo.ground_width_m(height_m, fov_deg),
  }
end

local photos, by_altitude, by_path = {}, {}, {}
for _, found in ipairs(assert(im.file.find(args.root, [[.*_(?P<alt>\d+)_(?P<frame>\d+)\.(jpg|jpeg|png|bmp|tif|tiff|webp)]]))) do
  local photo = photo_of(found.path, found.alt, found.frame)
  by_altitude[photo.altitude] = by_altitude[photo.altitude] or {}
  table.insert(by_altitude[photo.altitude], photo)
  photos[#photos + 1], by_path[photo.path] = photo, photo
end

--- Metres east and north from a to b; nil where a position is unknown.
local function offset_m(a, b)
  if a.latitude_deg and b.latitude_deg then
    local distance_m = im.geo.geodesic_m(a.latitude_deg, a.longitude_deg, b.latitude_deg, b.longitude_deg)
    local bearing = math.rad(distance_m > 0
      and im.geo.bearing_deg(a.latitude_deg, a.longitude_deg, b.latitude_deg, b.longitude_deg) or 0)
    return distance_m * math.sin(bearing), distance_m * math.cos(bearing), distance_m
  end
end

local function partner_of(query, altitude)
  local nearest, least_m = nil, math.huge
  for _, reference in ipairs(by_altitude[altitude]) do
    local _, _, distance_m = offset_m(query, reference)
    distance_m = distance_m or reference.id == query.id and reference.frame == query.frame and 0 or math.huge
    if distance_m < least_m then
      nearest, least_m = reference, distance_m
    end
  end
  return nearest
end

local points, seen = {}, {}
for _, query in ipairs(photos) do
  local all = by_altitude[query.altitude]
  seen[query.altitude] = (seen[query.altitude] or 0) + 1
  local i, wanted = seen[query.altitude], args.frames > 0 and math.min(args.frames, #all) or #all
  if math.floor(i * wanted / #all) > math.floor((i - 1) * wanted / #all) then
    for altitude in pairs(by_altitude) do
      local reference = altitude ~= query.altitude and partner_of(query, altitude)
      if reference then
        points[#points + 1] = { query = query.path, reference = reference.path, query_altitude = query.altitude,
          reference_altitude = altitude }
      end
    end
  end
end
if #points == 0 then
  parser:error(("--root %s: %d photographs <ID>_<ALT>_<FRAME>, no two of one place at two altitudes"):format(args.root, #photos))
end
table.sort(points, function(p, q)
  return p.query ~= q.query and p.query < q.query or p.query == q.query and p.reference < q.reference
end)

-- ---- The sweep

--- By how much the query's centre comes out beside its true place on the ground, m; nil where that is not known.
local function error_m(query, reference, reference_from_query)
  local east_m, north_m, distance_m = offset_m(reference, query)
  if not (east_m and reference.width_m and reference_from_query) then
    return nil
  end
  local width, height = im.image.size(query.path)
  local x, y = im.homography.apply(reference_from_query, width / 2, height / 2)
  width, height = im.image.size(reference.path)
  local metres_a_pixel = reference.width_m / width
  local right_m, down_m = (x - width / 2) * metres_a_pixel, (y - height / 2) * metres_a_pixel
  if not reference.heading_deg then
    return math.abs(math.sqrt(right_m ^ 2 + down_m ^ 2) - distance_m)
  end
  local sine, cosine = math.sin(math.rad(reference.heading_deg)), math.cos(math.rad(reference.heading_deg))
  return math.sqrt((right_m * cosine - down_m * sine - east_m) ^ 2 + (-right_m * sine - down_m * cosine - north_m) ^ 2)
end

local function match(p)
  local query, reference = assert(im.image.open(p.query)), assert(im.image.open(p.reference))
  local a = im.backbone.features(query, p.backbone, OPTIONS)
  local b = im.backbone.rotations(reference, p.rotation_search == "on" and TURNS_DEG or { 0 }, p.backbone, OPTIONS)
  local matches = im.match.rotation_search(a, b, { model = "similarity", match = { match_th = p.match_th } })
  local geometry = im.match.geometry(matches, { method = "cv2_ransac", reproj_px = 0.75 * matches:counts().cell_b_px })
  return matches, geometry, query, reference, #b
end

local OVER = { "query", "reference", "query_altitude", "reference_altitude" }
local result = im.sweep {
  name = "altitude-pairs",
  out = args.out,
  points = points,
  axes = { backbone = backbones, rotation_search = { "off", "on" }, match_th = { 0.3, 0.5, 0.7 } },
  inputs = { OPTIONS },
  measure = function(p)
    local matches, geometry, _, _, num_tries = match(p)
    local verdict, found = im.match.verdict(matches, geometry, { num_tries = num_tries }), geometry:homography()
    local query, reference = by_path[p.query], by_path[p.reference]
    local error = error_m(query, reference, found)
    local is_known = offset_m(query, reference) ~= nil and reference.width_m ~= nil
    local is_right = verdict.matched and (not is_known or error ~= nil and error <= args.limit_m)
    return { right = is_right and 1 or 0, matched = verdict.matched and 1 or 0, judged_by = is_known and "truth" or "verdict",
      error_m = error, num_matches = #matches, num_inliers = geometry:num_inliers() }
  end,
  picture = function(p, cell)
    local matches, geometry, query, reference, num_tries = match(p)
    cell:save_image("matches", im.image.draw_matches(query, reference, matches, geometry:inliers(), {
      caption = ("%d m against %d m: %s"):format(p.query_altitude, p.reference_altitude,
        im.match.verdict(matches, geometry, { num_tries = num_tries }).reason),
    }))
  end,
  best = { metric = "right", direction = "max", over = OVER, units = { "query" }, compare = "rotation_search",
    along = { "query_altitude", "reference_altitude" } },
  report = { metric = "right", statistic = "mean", line_x = "match_th", line_color = "rotation_search",
    heat_x = "reference_altitude", heat_y = "query_altitude", heat_facet = "rotation_search" },
}
return result
