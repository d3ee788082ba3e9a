-- What the map of a localisation shows of each photo: its frame on the ground, the ellipse of its position, a small picture.
local im = require "imatch"

local M = {}

local SIDES, THUMBNAIL_PX, MOST_THUMBNAILS = 36, 108, 500
local RADIUS_95 = math.sqrt(-2 * math.log(0.05)) -- of a Gaussian in the plane, in standard deviations

--- { latitude, longitude } of places beside a pose: { { east_m, north_m }, ... }.
local function places(map, row, offsets)
  local list = {}
  for i, offset in ipairs(offsets) do
    list[i] = { map:latlon_from_local(row.x_m + offset[1], row.y_m + offset[2]) }
  end
  return list
end

--- The corners of the ground in a photo that looks straight down, its image's top left one first.
function M.footprint(map, row, aspect)
  local heading, half = math.rad(row.heading_deg), row.width_m / 2
  local right_x, right_y = half * math.cos(heading), -half * math.sin(heading)
  local up_x, up_y = aspect * half * math.sin(heading), aspect * half * math.cos(heading)
  return places(map, row, {
    { up_x - right_x, up_y - right_y }, { up_x + right_x, up_y + right_y }, { right_x - up_x, right_y - up_y },
    { -up_x - right_x, -up_y - right_y },
  })
end

--- The ellipse in which the true position lies with 95 %, by the prediction's own covariance.
function M.ellipse(map, row)
  local east, north, correlation = row.east_sigma_m, row.north_sigma_m, row.east_north_correlation or 0
  local across = math.sqrt(math.max(0, 1 - correlation * correlation))
  local offsets = {}
  for i = 1, SIDES do
    local u, v = math.cos(2 * math.pi * i / SIDES), math.sin(2 * math.pi * i / SIDES)
    offsets[i] = { RADIUS_95 * east * u, RADIUS_95 * north * (correlation * u + across * v) }
  end
  return places(map, row, offsets)
end

--- A small picture of the photo as an address, kept in the folder of thumbnails; nil when it cannot be made.
local function thumbnail(path, folder)
  local file = ("%s/%s.jpg"):format(folder, path:match "[^/]+$")
  local bytes = im.file.exists(file) and im.file.read(file)
  if not bytes then
    local photo = im.image.open(path)
    local small = photo and photo:resize { mode = "longer", size = THUMBNAIL_PX, only_shrink = true }
    bytes = small and small:encode("jpg", { quality = 80 })
    if bytes then
      im.file.write(file, bytes)
    end
  end
  return bytes and im.report.data_url(bytes)
end

--- The rows with what the map draws of them.
---@param map table Ground
---@param rows table[] of localize.run
---@param how { folder: string, thumbnails: string, aspect: number } the photos' folder, that of small copies, height / width
function M.points(map, rows, how)
  local points = {}
  for i, row in ipairs(rows) do
    local point = {}
    for name, value in pairs(row) do
      point[name] = value
    end
    if row.x_m then
      point.footprint = M.footprint(map, row, how.aspect)
      point.ellipse = row.east_sigma_m and row.north_sigma_m and M.ellipse(map, row)
    end
    point.thumbnail = i <= MOST_THUMBNAILS and thumbnail(("%s/%s"):format(how.folder, row.photo), how.thumbnails) or nil
    points[i] = point
  end
  return points
end

return M
