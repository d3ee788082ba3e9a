-- The tokens of a matched pair as colours over its photos: their first three principal components as red, green and blue.
local conventions = require "imatch.backbone.conventions"
local im = require "imatch.native"

local M = {}

local PIXELS_A_CELL = 8 -- of the picture of a grid, before it is laid over the photo

--- Tokens that `run -e` saved beside the pair file; nil when they are not there, or not all of them.
local function saved_features(opened)
  local pair = opened.pair
  local stem, prefix = opened.path:match "([^/]+)%.json$", pair.weight .. "_"
  if not stem or stem:sub(1, #prefix) ~= prefix or not pair.meta.embed_root then
    return nil
  end
  local folder = ("%s/%s/%s"):format(pair.meta.embed_root, pair.weight, stem:sub(#prefix + 1))
  local list, counts = {}, opened.matches:counts()
  for _, side in ipairs { "a", "b" } do
    local tokens = im.io.read_npy(("%s/patch_%s.npy"):format(folder, side))
    local global = im.io.read_npy(("%s/global_%s.npy"):format(folder, side))
    local grid = counts["grid_" .. side]
    if not (tokens and global and tokens:shape()[1] == grid.rows * grid.cols) then
      return nil
    end
    list[#list + 1] = im.features.from_tensors(global, tokens, { rows = grid.rows, cols = grid.cols })
  end
  return list
end

--- Features of both images by the backbone that the file names, by way of the feature cache.
local function features_again(opened, weights_root)
  local pair = opened.pair
  local backbone, message
  if pair.preprocessing then
    backbone, message = im.backbone.open(pair.preprocessing.backbone)
  else
    local options = conventions.of(pair.weight, "run")
    options.image_size, options.weights_root = pair.meta.image_size, weights_root
    backbone, message = im.backbone.open(pair.weight, options)
  end
  if not backbone then
    return nil, "--pca: no embeddings of every token are saved (run -e --keypoint-th 0), and " .. message
  end
  return im.backbone.features({ opened.a, opened.b }, backbone)
end

--- The picture of a grid over its photo. Cells are squares of `cell_px`, from the top-left corner.
local function laid_over(photo, colours, cell_px)
  local squares = colours:resize { mode = "exact", width = PIXELS_A_CELL * colours:width(),
    height = PIXELS_A_CELL * colours:height(), filter = "area" }
  local k = cell_px / PIXELS_A_CELL
  local large, valid = squares:warp({ k, 0, 0, 0, k, 0, 0, 0, 1 }, photo:width(), photo:height())
  return photo:blend(large, 0.8, valid)
end

--- Both photos of an opened pair (match.pictures) under the colours of their tokens; nil and a message without tokens.
---@param opened table
---@param weights_root string?
function M.pair(opened, weights_root)
  local features, message = saved_features(opened)
  if not features then
    features, message = features_again(opened, weights_root)
  end
  if not features then
    return nil, nil, message
  end
  local colours, counts = im.features.colours(features), opened.matches:counts()
  return laid_over(opened.a, colours[1], counts.cell_a_px), laid_over(opened.b, colours[2], counts.cell_b_px)
end

return M
