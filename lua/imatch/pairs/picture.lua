-- Pictures of pair files: both photos with their matches, a over b, and the tokens' principal components.
local im = require "imatch.native"

local M = {}

M.METHODS = {
  "cv2_ransac", "usac_default", "usac_parallel", "usac_accurate", "usac_fast", "usac_prosac", "usac_magsac",
}

-- ---- Finding and opening images -----------------------------------------------------------------------------------------

local Photos = {}
Photos.__index = Photos

local AT_ONCE = 4

--- Opens the images that pair files name, where they stand or below `root`; the latest few stay in memory.
function M.photos(root)
  return setmetatable({ root = root, open_now = {}, order = {} }, Photos)
end

--- The image at the recorded path, at the end of that path below the root, or by its file name below the root.
function Photos:locate(recorded)
  if im.run.is_path(recorded) then
    return recorded
  end
  if not self.root then
    return nil, ("no such image: %s; --img-root or DATASET_HOST names the folder where it is now"):format(recorded)
  end
  local rest = recorded
  while rest do
    local candidate = self.root .. "/" .. rest
    if im.run.is_path(candidate) then
      return candidate
    end
    rest = rest:match "^[^/]*/(.+)$"
  end
  self.files = self.files or im.io.list_files(self.root, { recursive = true }) or {}
  local name = recorded:match "[^/\\]+$"
  for _, file in ipairs(self.files) do
    if file:match "[^/]+$" == name then
      return self.root .. "/" .. file
    end
  end
  return nil, ("no such image: %s, and none of that name below %s"):format(recorded, self.root)
end

function Photos:open(recorded)
  local path, message = self:locate(recorded)
  if not path then
    return nil, message
  end
  if not self.open_now[path] then
    local image
    image, message = im.image.open(path)
    if not image then
      return nil, message
    end
    self.open_now[path] = image
    table.insert(self.order, path)
    if #self.order > AT_ONCE then
      self.open_now[table.remove(self.order, 1)] = nil
    end
  end
  return self.open_now[path]
end

-- ---- Pictures -----------------------------------------------------------------------------------------------------------

--- Estimates the geometry that `how` asks for; nil for ransac = "off".
local function geometry_of(matches, how)
  if how.ransac == "off" then
    return nil
  end
  return im.match.geometry(matches, {
    -- Their "affine" is OpenCV's estimateAffinePartial2D: a similarity (rotation, one scale, shift), by one method only.
    model = how.ransac == "affine" and "similarity" or how.ransac,
    method = how.ransac == "affine" and "cv2_ransac" or how.method,
    reproj_px = how.reproj_th, confidence = how.confidence, iterations = how.iters,
  })
end

local function grid_text(counts)
  local a, b = counts.grid_a, counts.grid_b
  return ("%d x %d and %d x %d tokens"):format(a.cols, a.rows, b.cols, b.rows)
end

local function label(recorded)
  return ((recorded:match "[^/\\]+$" or recorded):gsub("%.%w+$", ""))
end

local function caption(pair, matches, geometry, how)
  local settings = pair.advanced_settings
  local parts = { ("%s: %s > %s"):format(pair.weight, label(pair.image_a), label(pair.image_b)) }
  if geometry then
    local mean = geometry:mean_reprojection_px()
    parts[2] = ("%d of %d matches agree with one %s (%s, reprojection <= %g px%s)"):format(geometry:num_inliers(), #matches,
      how.ransac, geometry:method(), how.reproj_th, mean and (", mean %.1f px"):format(mean) or "; no model found")
  else
    parts[2] = ("%d matches, RANSAC off"):format(#matches)
  end
  parts[3] = ("%s, image size %s, match_th %g, keypoint_th %g, line_th %g, max_features %d"):format(grid_text(matches:counts()),
    pair.meta.image_size or "?", settings.match_threshold, settings.keypoint_threshold, settings.line_threshold,
    settings.max_features)
  if pair.cosine then
    parts[#parts + 1] = ("cosine of the images %.3f"):format(pair.cosine)
  end
  if pair.rotation_search then
    parts[#parts + 1] = ("b turned by %g deg"):format(pair.rotation_search.rotation_deg)
  end
  return table.concat(parts, "  |  ")
end

--- The range of similarities that the colours span, in whole tenths.
local function colour_range(matches)
  local similarity = matches:similarity()
  if #similarity == 0 then
    return 0, 1
  end
  local low, high = similarity[#similarity], similarity[1]
  return math.floor(10 * low) / 10, math.max(math.ceil(10 * high) / 10, math.floor(10 * low) / 10 + 0.1)
end

--- Opens a pair file with its images: { pair, a, b, matches, geometry (or nil) }; nil and a message that names what is wrong.
function M.open(path, photos, how)
  local pair, message = im.pairs.read(path, { ignore_unknown = how.ignore_unknown })
  if not pair then
    return nil, message
  end
  local a, b
  a, message = photos:open(pair.image_a)
  if not a then
    return nil, path .. ": image_a: " .. message
  end
  b, message = photos:open(pair.image_b)
  if not b then
    return nil, path .. ": image_b: " .. message
  end
  local matches
  matches, message = im.pairs.matches(pair, a:width(), a:height(), b:width(), b:height())
  if not matches then
    return nil, path .. ": " .. message
  end
  return { path = path, pair = pair, a = a, b = b, matches = matches, geometry = geometry_of(matches, how) }
end

--- Side by side with their matches.
function M.matches(opened, how)
  local low, high = colour_range(opened.matches)
  return im.image.draw_matches(opened.a, opened.b, opened.matches, opened.geometry and opened.geometry:inliers() or nil, {
    width = how.width, max_lines = how.max_lines, draw_points = how.draw_points, line_px = how.linewidth,
    opacity = how.alpha / 255, outlier_opacity = 0.35 * how.alpha / 255, low = low, high = high,
    caption = caption(opened.pair, opened.matches, opened.geometry, how),
  })
end

--- Image a warped over b by the geometry, its frame outlined; nil without a model.
function M.overlay(opened)
  local b_from_a = opened.geometry and opened.geometry:homography()
  if not b_from_a then
    return nil
  end
  local a, b = opened.a, opened.b
  local warped, valid = a:warp(b_from_a, b:width(), b:height())
  local function corner(x, y)
    local w = b_from_a[7] * x + b_from_a[8] * y + b_from_a[9]
    return { (b_from_a[1] * x + b_from_a[2] * y + b_from_a[3]) / w, (b_from_a[4] * x + b_from_a[5] * y + b_from_a[6]) / w }
  end
  local frame = { corner(0, 0), corner(a:width(), 0), corner(a:width(), a:height()), corner(0, a:height()) }
  return b:blend(warped, 0.5, valid):draw_polygon(frame, { thickness_px = math.max(2, math.floor(b:width() / 400)) })
end

--- Tokens of both images: saved embeddings, or the backbone that the file names, by way of the feature cache.
local function features_of(opened, weights_root)
  local pair = opened.pair
  local stem = opened.path:match "([^/]+)%.json$"
  local prefix = pair.weight .. "_"
  if stem and stem:sub(1, #prefix) == prefix and pair.meta.embed_root then
    local folder = ("%s/%s/%s"):format(pair.meta.embed_root, pair.weight, stem:sub(#prefix + 1))
    local list = {}
    for _, side in ipairs { "a", "b" } do
      local tokens = im.io.read_npy(("%s/patch_%s.npy"):format(folder, side))
      local global = im.io.read_npy(("%s/global_%s.npy"):format(folder, side))
      local grid = opened.matches:counts()["grid_" .. side]
      if tokens and global and tokens:shape()[1] == grid.rows * grid.cols then
        list[#list + 1] = im.features.from_tensors(global, tokens, { rows = grid.rows, cols = grid.cols })
      end
    end
    if #list == 2 then
      return list
    end
  end
  local backbone, message
  if pair.preprocessing then
    backbone, message = im.backbone.open(pair.preprocessing.backbone)
  else
    local options = { image_size = pair.meta.image_size, resize = "shorter_cut", weights_root = weights_root }
    backbone, message = im.backbone.open(pair.weight, options)
  end
  if not backbone then
    return nil, "--pca: no embeddings are saved (run -e), and " .. message
  end
  return im.backbone.features({ opened.a, opened.b }, backbone)
end

--- A token grid's picture over its photo. Cells are squares of `cell_px`, from the top-left corner.
local function laid_over(photo, colours, cell_px)
  local scale = 8
  local squares = colours:resize { mode = "exact", width = scale * colours:width(), height = scale * colours:height(),
    filter = "area" }
  local k = cell_px / scale
  local large, valid = squares:warp({ k, 0, 0, 0, k, 0, 0, 0, 1 }, photo:width(), photo:height())
  return photo:blend(large, 0.8, valid)
end

--- Both photos under the colours of their tokens' first three principal components; nil and a message without tokens.
function M.pca(opened, how)
  local features, message = features_of(opened, how.weights_root)
  if not features then
    return nil, opened.path .. ": " .. message
  end
  local colours = im.features.colours(features)
  local counts = opened.matches:counts()
  return im.image.draw_matches(laid_over(opened.a, colours[1], counts.cell_a_px),
    laid_over(opened.b, colours[2], counts.cell_b_px), { points_a = {}, points_b = {}, similarity = {} }, nil, {
      width = how.width, legend = false,
      caption = ("%s: %s > %s  |  the first three principal components of both images' tokens as red, green and blue"):format(
        opened.pair.weight, label(opened.pair.image_a), label(opened.pair.image_b)),
    })
end

return M
