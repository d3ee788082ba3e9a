-- The page of an evaluation, in one file that opens offline: report/evaluation.html with its scripts, Vega and Leaflet.
local native = require "imatch.native"

local M = {}

local DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

local function base64(bytes)
  local out = {}
  for i = 1, #bytes, 3 do
    local a, b, c = bytes:byte(i, i + 2)
    local block = a * 65536 + (b or 0) * 256 + (c or 0)
    for k = 0, 3 do
      local digit = math.floor(block / 64 ^ (3 - k)) % 64
      local is_there = k == 0 or k == 1 or (k == 2 and b) or (k == 3 and c)
      out[#out + 1] = is_there and DIGITS:sub(digit + 1, digit + 1) or "="
    end
  end
  return table.concat(out)
end

--- A picture as an address that a page can hold.
---@param path string of a JPEG or PNG
function M.data_url(path)
  local file = assert(io.open(path, "rb"))
  local bytes = file:read "*a"
  file:close()
  return ("data:image/%s;base64,%s"):format(path:match "%.png$" and "png" or "jpeg", base64(bytes))
end

local function safe_text(text)
  return (text:gsub("&", "&amp;"):gsub("<", "&lt;"):gsub(">", "&gt;"):gsub('"', "&quot;"))
end

--- A map as a picture with its corners, for Leaflet.
---@param path string GeoTIFF
---@param width_px integer
---@return table? background url and bounds {{south, west}, {north, east}}
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
  local name = os.tmpname()
  local picture = name .. ".jpg"
  assert(view:image():save(picture, { quality = 80 }))
  local url = M.data_url(picture)
  os.remove(picture)
  os.remove(name)
  local south, west = ground:latlon_from_local(e.west_m, e.south_m)
  local north, east = ground:latlon_from_local(e.east_m, e.north_m)
  return { url = url, bounds = { { south, west }, { north, east } } }
end

--- Writes the page.
---@param path string
---@param title string
---@param data table runs (a list of summaries with a name), points, num_queries, radius_m, background
function M.write(path, title, data)
  local scripts = {}
  for _, name in ipairs { "vega", "vega-lite", "vega-embed", "leaflet" } do
    scripts[#scripts + 1] = native.retrieval.resource("js", name .. ".min.js")
  end
  scripts[#scripts + 1] = native.retrieval.resource("lua", "imatch/report/evaluation.js")
  for i, script in ipairs(scripts) do
    scripts[i] = "<script>" .. script:gsub("</script", "<\\/script"):gsub("<!%-%-", "<\\!--") .. "</script>"
  end
  local parts = {
    title = safe_text(title),
    style = native.retrieval.resource("lua", "imatch/report/report.css") .. native.retrieval.resource("js", "leaflet.css"),
    data = native.retrieval.json(data):gsub("<", "\\u003c"),
    scripts = table.concat(scripts, "\n"),
  }
  local page = native.retrieval.resource("lua", "imatch/report/evaluation.html"):gsub("{{(%w+)}}", parts)
  local file = assert(io.open(path .. ".tmp", "wb"))
  file:write(page)
  file:close()
  assert(os.rename(path .. ".tmp", path))
end

return M
