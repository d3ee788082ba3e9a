-- A page of all pairs of a folder, which opens offline: index.html with a viewer of one pair, small copies of the pictures, and
-- beside it the photos (once each, however many pairs they are in) and a file of matches for each pair. What it shows is kept in
-- gallery.json, so that pictures made later are added and what is drawn is known.
local im = require "imatch.native"

local M = {}

local THUMBNAIL_PX, PHOTO_PX, MOST_MATCHES = 720, 1600, 4000

local function without_ending(path)
  return (path:gsub("%.%w+$", ""))
end

--- Saves a small copy of the picture; gives what the entry must know of it.
---@param folder string pair_viz
---@param picture string path of the picture, relative to the folder
---@param image table the picture
function M.thumbnail(folder, picture, image)
  local small = image:resize { mode = "longer", size = THUMBNAIL_PX, only_shrink = true }
  local path = "thumbnails/" .. without_ending(picture) .. ".jpg"
  local done, message = small:save(folder .. "/" .. path, { quality = 85 })
  if not done then
    return nil, message
  end
  return { thumbnail = path, width = small:width(), height = small:height() }
end

--- A photo for the viewer, saved once; nil and a message when it cannot be written.
local function photo_of(folder, image, path)
  local hash, message = im.run.hash(path)
  if not hash then
    return nil, message
  end
  local name = ("viewer/photos/%s_%s.jpg"):format(without_ending(path:match "[^/\\]+$"), hash:sub(1, 10))
  if not im.file.exists(folder .. "/" .. name) then
    local small = image:resize { mode = "longer", size = PHOTO_PX, only_shrink = true }
    local done
    done, message = small:save(folder .. "/" .. name, { quality = 85 })
    if not done then
      return nil, message
    end
  end
  return { photo = name, width = image:width(), height = image:height() }
end

--- Writes what the viewer shows of a pair; gives the file's path for the entry's `data`, or nil and a message.
---@param folder string pair_viz
---@param picture string path of the pair's picture, relative to the folder
---@param pair table { a, b (Images), path_a, path_b, matches, inliers (a list of booleans, or nil) }
function M.viewer_data(folder, picture, pair)
  local data = { matches = {} }
  for _, side in ipairs { "a", "b" } do
    local message
    data[side], message = photo_of(folder, pair[side], pair["path_" .. side])
    if not data[side] then
      return nil, message
    end
  end
  local similarity = pair.matches:similarity()
  for i, point in ipairs(pair.matches:points()) do
    if i > MOST_MATCHES then
      break
    end
    local row = { point[1], point[2], point[3], point[4], 100 * similarity[i] }
    for k, value in ipairs(row) do
      row[k] = math.floor(10 * value + 0.5) / 10 -- a tenth of a pixel
    end
    row[5] = math.floor(1000 * similarity[i] + 0.5) / 1000
    row[6] = (not pair.inliers or pair.inliers[i]) and 1 or 0
    data.matches[i] = row
  end
  local path = "viewer/" .. without_ending(picture) .. ".js"
  local text = ("imatch_pair(%s, %s);\n"):format(im.report.json(path), im.report.json(data))
  local done, message = im.file.write(folder .. "/" .. path, text)
  return done and path or nil, message
end

--- The entries that a folder has, by their pictures; those whose pictures are gone are left out.
---@return table<string, table>
function M.read(folder)
  local by_picture = {}
  for _, entry in ipairs((im.io.read_json(folder .. "/gallery.json") or {}).pairs or {}) do
    if im.file.exists(folder .. "/" .. entry.picture) then
      by_picture[entry.picture] = entry
    end
  end
  return by_picture
end

--- Adds the entries (name, weight, label, picture, thumbnail, width, height, matches, inliers, matched, reason, cosine, facts,
--- overlay, pca, data, made_of) to those that the folder has and writes gallery.json and, unless `no_page`, the page.
---@param folder string
---@param entries table[]
---@param no_page boolean?
---@return string? path
---@return string? message
function M.write(folder, entries, no_page)
  local by_picture, pictures = M.read(folder), {}
  for _, entry in ipairs(entries) do
    by_picture[entry.picture] = entry
  end
  for picture in pairs(by_picture) do
    pictures[#pictures + 1] = picture
  end
  table.sort(pictures)
  local kept, shown = {}, {}
  for i, picture in ipairs(pictures) do
    kept[i] = by_picture[picture]
    if kept[i].thumbnail then
      shown[#shown + 1] = kept[i]
    end
  end
  local done, message = im.io.write_json(folder .. "/gallery.json", { pairs = kept })
  if not done or no_page then
    return done and folder .. "/gallery.json" or nil, message
  end
  local path = folder .. "/index.html"
  done, message = im.report.write(path, "gallery", "Matched pairs", { pairs = shown }, { "look", "pair_viewer", "gallery" })
  return done and path or nil, message
end

return M
