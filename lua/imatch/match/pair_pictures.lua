-- The pictures of pair files as `vis` leaves them in a folder, with what the gallery says of each.
local gallery = require "imatch.match.gallery"
local pictures = require "imatch.match.pictures"

local M = {}

--- <weight>_<ALT>_<FRAME>/<name>: as the pair file lies, or from its name when it lies elsewhere.
local function place_of(path, weight)
  local stem = path:match "([^/]+)%.json$" or path:match "[^/]+$"
  local parent = path:match "([^/]+)/[^/]+$"
  if not parent or parent:sub(1, #weight) ~= weight then
    local a = stem:sub(#weight + 2):match "^[^_]+"
    parent = a and ("%s_%s"):format(weight, (a:gsub("%.", "_"))) or weight
  end
  return parent .. "/" .. stem
end

--- Draws one pair file and saves its pictures below a folder; gives the gallery's entry, or nil and a message.
---@param path string
---@param photos table as match.photos opens them
---@param how table as match.vis_options gives it
---@param want { overlay: boolean?, pca: boolean?, thumbnail: boolean }
---@param folder string
function M.draw(path, photos, how, want, folder)
  local opened, message = pictures.open(path, photos, how)
  if not opened then
    return nil, message
  end
  local place = place_of(path, opened.pair.weight)
  local name = place:match "[^/]+$"
  local entry = {
    name = name, weight = opened.pair.weight, label = name:sub(#opened.pair.weight + 2):gsub("_", " > "),
    matches = #opened.matches, inliers = opened.geometry and opened.geometry:num_inliers() or nil, cosine = opened.pair.cosine,
  }
  --- Saves one picture and notes where; false and a message when that fails.
  local function save(key, picture, suffix)
    entry[key] = ("%s%s.png"):format(place, suffix)
    return picture:save(folder .. "/" .. entry[key])
  end

  local drawn = pictures.matches(opened, how)
  local done
  done, message = save("picture", drawn, "")
  local overlay = want.overlay and pictures.overlay(opened)
  if done and overlay then
    done, message = save("overlay", overlay, "_overlay")
  elseif done and want.overlay then
    io.stderr:write(("%s: no overlay: %s\n"):format(path, opened.verdict and opened.verdict.reason or "RANSAC is off"))
  end
  if done and want.pca then
    done, message = pictures.pca(opened, how)
    if done then
      done, message = save("pca", done, "_pca")
    end
  end
  if done and want.thumbnail then
    done, message = gallery.thumbnail(folder, entry.picture, drawn)
    for key, value in pairs(done or {}) do
      entry[key] = value
    end
  end
  return done and entry, message
end

return M
