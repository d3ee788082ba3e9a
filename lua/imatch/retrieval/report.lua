-- The pages of an evaluation and of a localisation, in one file each that opens offline: report/evaluation.html or
-- localization.html with their scripts, Vega and Leaflet.
local native = require "imatch.native"

local M = {}

--- A map as a picture with its corners, for Leaflet.
---@param path string GeoTIFF
---@param width_px integer
---@return table? background url, mask (a picture, white where the map has data; none where it is whole) and bounds {{south,
---west}, {north, east}}
function M.background(path, width_px)
  local ground, message = native.render.map(path)
  if not ground then
    return nil, message
  end
  local e = ground:extent()
  local width_m, height_m = e.east_m - e.west_m, e.north_m - e.south_m
  local scale = width_px / math.max(width_m, height_m)
  local view = ground:view {
    x_m = (e.west_m + e.east_m) / 2, y_m = (e.south_m + e.north_m) / 2, fov_deg = 60,
    altitude_m = native.geo.altitude_for_width_m(width_m, 60), width = math.max(1, math.floor(width_m * scale + 0.5)),
    height = math.max(1, math.floor(height_m * scale + 0.5)),
  }
  local url = native.report.data_url(view:image():encode("jpg", { quality = 80 }))
  local south, west = ground:latlon_from_local(e.west_m, e.south_m)
  local north, east = ground:latlon_from_local(e.east_m, e.north_m)
  local mask = view:coverage() < 1 and native.report.data_url(view:mask():encode "png") or nil
  return { url = url, mask = mask, bounds = { { south, west }, { north, east } } }
end

--- Writes the page.
---@param path string
---@param title string
---@param data table runs (a list of summaries with a name), points, num_queries, radius_m, background, is_localization
function M.write(path, title, data)
  assert(native.report.write(path, data.is_localization and "localization" or "evaluation", title, data,
    { "look", "places", "evaluation" }, { "vega", "vega-lite", "vega-embed", "leaflet" }))
end

return M
