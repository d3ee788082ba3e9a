-- The pictures of pair files as `vis` leaves them in a folder, with what the gallery says of each.
local gallery = require "imatch.match.gallery"
local im = require "imatch.native"
local memoize = require("imatch.memoize").memoize
local pictures = require "imatch.match.pictures"

local M = {}

--- Raised when pictures look different from the same input.
local REVISION = 1

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

local hash_of = memoize(im.run.hash, 1000)

--- Hash of all that the pictures of a pair file are made of; nil when it cannot be said, which drawing will explain.
---@param path string
---@param photos table as match.photos opens them
---@param how table as match.vis_options gives it
---@param want table
function M.made_of(path, photos, how, want)
  local file = im.pairs.read(path, { ignore_unknown = how.ignore_unknown })
  if not file then
    return nil
  end
  local header, hashes = file:header(), { im.run.hash(path) }
  for _, side in ipairs { "image_a", "image_b" } do
    local photo = photos:locate(header[side])
    if not photo then
      return nil
    end
    hashes[#hashes + 1] = hash_of(photo)
  end
  return im.run.key { REVISION, hashes, how, want }, place_of(path, header.weight)
end

--- What pairs are filtered by: the weight, the altitudes in "<ALT>.<FRAME> > <ALT>.<FRAME>", and how b was turned.
local function facts_of(pair, label)
  local facts = { weight = pair.weight }
  facts["altitude a"], facts["altitude b"] = label:match "^([%d.]+)%.%d+ > ([%d.]+)%.%d+$"
  facts["b turned by (deg)"] = pair.rotation_search and pair.rotation_search.rotation_deg or nil
  return facts
end

--- Draws one pair file and saves its pictures below a folder; gives the gallery's entry, or nil and a message.
---@param path string
---@param photos table as match.photos opens them
---@param how table as match.vis_options gives it
---@param want { overlay: boolean?, pca: boolean?, gallery: boolean }
---@param folder string
---@param made_of string? as M.made_of gives it
function M.draw(path, photos, how, want, folder, made_of)
  local opened, message = pictures.open(path, photos, how)
  if not opened then
    return nil, message
  end
  local place = place_of(path, opened.pair.weight)
  local inside, leads_out = im.file.below(folder, place)
  if not inside then
    return nil, ("%s: weight: %s"):format(path, leads_out)
  end
  local name = place:match "[^/]+$"
  local label = name:sub(#opened.pair.weight + 2):gsub("_", " > ")
  local entry = {
    name = name, weight = opened.pair.weight, label = label, facts = facts_of(opened.pair, label), made_of = made_of,
    matches = #opened.matches, inliers = opened.geometry and opened.geometry:num_inliers() or nil, cosine = opened.pair.cosine,
    matched = opened.verdict and opened.verdict.matched, reason = opened.verdict and opened.verdict.reason,
  }
  --- Saves one picture and notes where; false and a message when that fails.
  local function save(key, picture, suffix)
    entry[key] = ("%s%s.%s"):format(place, suffix, how.format)
    return picture:save(folder .. "/" .. entry[key], { quality = 88 })
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
  if done and want.gallery then
    done, message = gallery.thumbnail(folder, entry.picture, drawn)
    for key, value in pairs(done or {}) do
      entry[key] = value
    end
  end
  if done and want.gallery then
    entry.data, message = gallery.viewer_data(folder, entry.picture, {
      a = opened.a, b = opened.b, path_a = photos:locate(opened.pair.image_a), path_b = photos:locate(opened.pair.image_b),
      matches = opened.matches, inliers = opened.geometry and opened.geometry:inliers(),
    })
    done = entry.data
  end
  return done and entry, message
end

return M
