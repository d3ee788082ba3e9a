-- Do the homographies between consecutive photographs agree with the drone's own GPS and yaw?
--
--   imatch-lua experiments/overlap.lua --photos DIR
--
-- For each photograph and the next: matches, a homography, and from it how far and which way the camera moved and how much
-- it rotated, beside what EXIF and XMP say. The photographs look straight down and carry GPS, relative altitude and gimbal
-- yaw, as DJI writes them. Consumer GPS is good to a metre or two, altitudes are above the take-off point, and some drones
-- record a yaw that is off by half a turn while they look straight down: yaw_flipped says where the pictures show that.
local im = require "imatch"

local parser = im.arguments("overlap.lua", "Homographies of consecutive photographs against GPS and yaw.")
parser:option("--photos", "folder of nadir photographs (default: brighton_beach in $IMATCH_TEST_DATA)")
parser:option("--fov", "horizontal field of view in degrees; default: from the 35 mm focal length"):convert(tonumber)
parser:option("--out", "folder of the run folders"):default "runs"
local args = parser:parse { ... }
local data = os.getenv "IMATCH_TEST_DATA"
local folder = args.photos or (data and data .. "/brighton_beach") or parser:error "--photos is missing"

local files = assert(im.file.list(folder, { extensions = { "jpg", "jpeg" } }))
local photos, names = {}, {}
for _, file in ipairs(files) do
  local m = assert(im.image.metadata(folder .. "/" .. file))
  if m.latitude_deg and m.relative_altitude_m and m.gimbal_yaw_deg then
    photos[file] = m
    names[#names + 1] = file
    if m.warning then
      io.stderr:write(("%s: %s\n"):format(file, m.warning))
    end
  end
end
if #names < 2 then
  parser:error(("%s: %d photographs with GPS, relative altitude and gimbal yaw; expected at least 2"):format(folder, #names))
end
local pairs_of_photos = {}
for i = 1, #names - 1 do
  pairs_of_photos[i] = { a = names[i], b = names[i + 1], label = names[i] .. " - " .. names[i + 1] }
end

-- Metres east and north of the first photograph of the folder.
local origin = photos[names[1]]
local function position(m)
  local distance_m = im.geo.geodesic_m(origin.latitude_deg, origin.longitude_deg, m.latitude_deg, m.longitude_deg)
  local bearing = math.rad(distance_m > 0
    and im.geo.bearing_deg(origin.latitude_deg, origin.longitude_deg, m.latitude_deg, m.longitude_deg) or 0)
  return distance_m * math.sin(bearing), distance_m * math.cos(bearing)
end

-- From the pixels of a photograph to the ground, as its metadata have it; its yaw corrected by so many degrees.
local function ground_from_photo(image, m, yaw_offset_deg)
  local x_m, y_m = position(m)
  return im.homography.of_camera {
    x_m = x_m, y_m = y_m, altitude_m = m.relative_altitude_m, heading_deg = m.gimbal_yaw_deg + yaw_offset_deg,
    fov_deg = args.fov or math.deg(2 * math.atan(18 / m.focal_length_35mm_mm)),
    width = image:width(), height = image:height(),
  }
end

local function match(p)
  local a, b = assert(im.image.open(folder .. "/" .. p.pair.a)), assert(im.image.open(folder .. "/" .. p.pair.b))
  local features = assert(im.backbone.features({ a, b }, p.backbone, { image_size = 448 }))
  local matches = im.match.mutual_nearest(features[1], features[2], { match_th = p.match_th, max_features = 2000 })
  return a, b, matches, im.match.geometry(matches)
end

-- Where b lies and how it is rotated if `found` is right and a stands as its metadata say, yaw corrected.
local function compare(p, a, b, found, yaw_offset_deg)
  local ground_from_a = ground_from_photo(a, photos[p.pair.a], yaw_offset_deg)
  local ground_from_b = im.homography.compose(ground_from_a, im.homography.inverse(found))
  local x, y = im.homography.apply(ground_from_b, b:width() / 2, b:height() / 2)
  local up_x, up_y = im.homography.apply(ground_from_b, b:width() / 2, b:height() / 2 - 1)
  local xa, ya = position(photos[p.pair.a])
  local xb, yb = position(photos[p.pair.b])
  local heading_error_deg = im.geo.angle_difference_deg(math.deg(math.atan2(up_x - x, up_y - y)), photos[p.pair.b].gimbal_yaw_deg)
  return {
    distance_m = math.sqrt((x - xa) ^ 2 + (y - ya) ^ 2),
    position_error_m = math.sqrt((x - xb) ^ 2 + (y - yb) ^ 2),
    -- A record off by half a turn in one of the two is no error of the homography.
    heading_error_deg = math.min(math.abs(heading_error_deg), 180 - math.abs(heading_error_deg)),
    yaw_flipped = yaw_offset_deg == 180 and 1 or 0,
  }
end

local POSITION_LIMIT_M, HEADING_LIMIT_DEG = 5, 5

return im.sweep {
  name = "overlap",
  out = args.out,
  axes = { pair = pairs_of_photos, backbone = { "dense_sift", "efficientnet_lite0" }, match_th = { 0.3, 0.5, 0.7 } },
  order = { "pair", "backbone", "match_th" },
  inputs = { folder, photos },
  measure = function(p)
    local a, b, matches, geometry = match(p)
    local xa, ya = position(photos[p.pair.a])
    local xb, yb = position(photos[p.pair.b])
    local row = {
      num_matches = matches:len(),
      num_inliers = geometry:num_inliers(),
      inlier_ratio = matches:len() > 0 and geometry:num_inliers() / matches:len() or 0,
      gps_distance_m = math.sqrt((xb - xa) ^ 2 + (yb - ya) ^ 2),
      yaw_turn_deg = im.geo.angle_difference_deg(photos[p.pair.b].gimbal_yaw_deg, photos[p.pair.a].gimbal_yaw_deg),
      agrees = 0,
    }
    local found = geometry:homography()
    if found then
      local as_recorded, flipped = compare(p, a, b, found, 0), compare(p, a, b, found, 180)
      for name, value in pairs(flipped.position_error_m < as_recorded.position_error_m and flipped or as_recorded) do
        row[name] = value
      end
      row.agrees = row.position_error_m <= POSITION_LIMIT_M and row.heading_error_deg <= HEADING_LIMIT_DEG and 1 or 0
    end
    return row
  end,
  picture = function(p, cell)
    local a, b, matches, geometry = match(p)
    cell:save_image("matches", im.image.draw_matches(a, b, matches, geometry:inliers(), { caption = p.pair.label }))
  end,
  best = { metric = "agrees", direction = "max", over = { "pair" } },
  report = { metric = "agrees", line_x = "match_th", line_color = "backbone", heat_x = "pair", heat_y = "backbone" },
}
