-- The photos that are to be localised, and what is known of them beforehand.
local im = require "imatch"

local M = {}

local function is_utf8(text)
  return (pcall(im.run.key, text))
end

--- Names of the photos in a folder, sorted; only those of `truth`, when it is given. Names that are not UTF-8 cannot stand in
--- tables and pages: their photos are left out, and named on standard error.
---@param folder string
---@param truth table<string, table>?
---@return string[]? names
---@return string|integer message how many were left out
function M.list(folder, truth)
  local names, message = im.file.list(folder, { extensions = im.image.extensions() })
  if not names then
    return nil, message
  end
  local kept, num_left_out = {}, 0
  for _, name in ipairs(names) do
    local is_wanted = not truth or truth[name]
    if is_wanted and not is_utf8(name) then
      io.stderr:write(("left out: %s/%s: the name is not UTF-8; rename it (convmv -f latin1 -t utf8)\n"):format(folder, name))
      num_left_out = num_left_out + 1
    elseif is_wanted then
      kept[#kept + 1] = name
    end
  end
  if #kept == 0 then
    return nil, ("%s: %d pictures, none of them %s"):format(folder, #names, truth and "is named by --truth" or "can be used")
  end
  return kept, num_left_out
end

--- Width of the ground in a photo by its own word: relative altitude and focal length. nil when it does not say.
function M.width_m(path)
  local m = im.image.metadata(path)
  if m and m.relative_altitude_m and m.relative_altitude_m > 0 and m.focal_length_35mm_mm and m.focal_length_35mm_mm > 0 then
    return im.geo.ground_width_m(m.relative_altitude_m, math.deg(2 * math.atan(18 / m.focal_length_35mm_mm)))
  end
end

--- What the columns of a truth table may be called beside.
local ALSO = { file = { "name", "image", "photo", "filename" }, latitude_deg = { "latitude", "lat" },
  longitude_deg = { "longitude", "lon", "lng" } }

local function with_our_names(row)
  for name, others in pairs(ALSO) do
    for _, other in ipairs(others) do
      row[name] = row[name] or row[other]
    end
  end
  return row
end

--- Rows of a truth table by file name: file, latitude_deg, longitude_deg, and, where known, heading_deg and
--- footprint_width_m. Returns nil, message for a table without these columns or with a position that is none.
function M.read_truth(path)
  local rows, message = im.io.read_csv(path, { tidy = true })
  if not rows then
    return nil, message
  end
  local truth = {}
  for i, row in ipairs(rows) do
    row = with_our_names(row)
    for _, name in ipairs { "latitude_deg", "longitude_deg", "heading_deg", "footprint_width_m" } do
      if row[name] and row[name]:find "^[+-]?%d+,%d+$" then
        return nil, ("%s: row %d: '%s' has a decimal comma; write it with a point"):format(path, i, row[name])
      end
    end
    local latitude, longitude = tonumber(row.latitude_deg), tonumber(row.longitude_deg)
    if not (row.file and latitude and longitude) then
      return nil, ("%s: row %d: expected the columns file, latitude_deg and longitude_deg with numbers"):format(path, i)
    elseif math.abs(latitude) > 90 or math.abs(longitude) > 180 then
      return nil, ("%s: row %d: latitude %g, longitude %g; expected them in [-90, 90] and [-180, 180]"):format(path, i,
        latitude, longitude)
    end
    if truth[row.file] then
      return nil, ("%s: row %d: '%s' is there twice; which one is true?"):format(path, i, row.file)
    end
    truth[row.file] = { latitude_deg = latitude, longitude_deg = longitude, heading_deg = tonumber(row.heading_deg),
      width_m = tonumber(row.footprint_width_m) }
  end
  return truth
end

return M
