-- Pictures of a pair file: both photos with their matches, a over b, and the tokens' principal components.
local im = require "imatch.native"
local token_pictures = require "imatch.match.token_pictures"

local M = {}

M.MODELS = { "off", "affine", "homography" }
M.METHODS = {
  "cv2_ransac", "usac_default", "usac_parallel", "usac_accurate", "usac_fast", "usac_prosac", "usac_magsac",
}

--- The geometry that `how` asks for; nil for ransac = "off".
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

--- Opens a pair file with its images: { path, pair (its header), a, b, matches, geometry (or nil), verdict }; nil and a
--- message that names what is wrong.
---@param path string
---@param photos table as match.photos opens them
---@param how table ransac, method, reproj_th, confidence, iters, min_inliers, ignore_unknown
function M.open(path, photos, how)
  local file, message = im.pairs.read(path, { ignore_unknown = how.ignore_unknown })
  if not file then
    return nil, message
  end
  local pair, images = file:header(), {}
  for _, side in ipairs { "image_a", "image_b" } do
    images[side], message = photos:read(pair[side])
    if not images[side] then
      return nil, ("%s: %s: %s"):format(path, side, message)
    end
  end
  local a, b = images.image_a, images.image_b
  local matches
  matches, message = file:matches(a:width(), a:height(), b:width(), b:height())
  if not matches then
    return nil, path .. ": " .. message
  end
  local geometry = geometry_of(matches, how)
  local verdict = geometry and im.match.verdict(matches, geometry, {
    min_inliers = how.min_inliers, num_tries = pair.rotation_search and #pair.rotation_search.scores or nil,
  })
  return { path = path, pair = pair, a = a, b = b, matches = matches, geometry = geometry, verdict = verdict }
end

-- ---- What stands below a picture ------------------------------------------------------------------------------------------

local function title(pair)
  local function label(recorded)
    return ((recorded:match "[^/\\]+$" or recorded):gsub("%.%w+$", ""))
  end
  return ("%s: %s > %s"):format(pair.weight, label(pair.image_a), label(pair.image_b))
end

local function geometry_text(opened, how)
  local geometry, matches = opened.geometry, opened.matches
  if not geometry then
    return ("%d matches, RANSAC off"):format(#matches)
  end
  local mean = geometry:mean_reprojection_px()
  local verdict = opened.verdict.matched and "matched: " or ("not matched (%s): "):format(opened.verdict.reason)
  return verdict .. ("%d of %d matches are inliers of one %s (%s, reprojection <= %g px%s)"):format(geometry:num_inliers(),
    #matches, how.ransac, geometry:method(), how.reproj_th, mean and (", mean %.1f px"):format(mean) or "; no model found")
end

local function settings_text(opened)
  local pair, counts = opened.pair, opened.matches:counts()
  local settings, a, b = pair.advanced_settings, counts.grid_a, counts.grid_b
  return ("%d x %d and %d x %d tokens, image size %s, match_th %g, keypoint_th %g, line_th %g, max_features %d"):format(a.cols,
    a.rows, b.cols, b.rows, pair.meta.image_size or "?", settings.match_threshold, settings.keypoint_threshold,
    settings.line_threshold, settings.max_features)
end

local function caption(opened, how)
  local pair = opened.pair
  local parts = { title(pair), geometry_text(opened, how), settings_text(opened) }
  if pair.cosine then
    parts[#parts + 1] = ("cosine of the images %.3f"):format(pair.cosine)
  end
  if pair.rotation_search then
    parts[#parts + 1] = ("b rotated by %g deg"):format(pair.rotation_search.rotation_deg)
  end
  return table.concat(parts, "  |  ")
end

-- ---- Pictures -------------------------------------------------------------------------------------------------------------

--- The range of similarities that the colours span, in whole tenths.
local function colour_range(matches)
  local similarity = matches:similarity()
  if #similarity == 0 then
    return 0, 1
  end
  local low, high = similarity[#similarity], similarity[1]
  return math.floor(10 * low) / 10, math.max(math.ceil(10 * high) / 10, math.floor(10 * low) / 10 + 0.1)
end

--- Side by side with their matches.
---@param opened table
---@param how table width, max_lines, draw_points, linewidth, alpha, and as `open` takes it
function M.matches(opened, how)
  local low, high = colour_range(opened.matches)
  return im.image.draw_matches(opened.a, opened.b, opened.matches, opened.geometry and opened.geometry:inliers() or nil, {
    width = how.width, max_lines = how.max_lines, draw_points = how.draw_points, line_px = how.linewidth,
    opacity = how.alpha / 255, outlier_opacity = 0.35 * how.alpha / 255, low = low, high = high,
    caption = caption(opened, how),
  })
end

--- Image a warped over b by the geometry, its frame outlined; nil for a pair that is not matched.
function M.overlay(opened)
  local b_from_a = opened.geometry and opened.geometry:homography()
  if not b_from_a or not opened.verdict.matched then
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

--- Both photos under the colours of their tokens' first three principal components; nil and a message without tokens.
---@param how table width, weights_root
function M.pca(opened, how)
  local a, b, message = token_pictures.pair(opened, how.weights_root)
  if not a then
    return nil, opened.path .. ": " .. message
  end
  return im.image.draw_matches(a, b, { points_a = {}, points_b = {}, similarity = {} }, nil, {
    width = how.width, legend = false,
    caption = title(opened.pair) .. "  |  the first three principal components of both images' tokens as red, green and blue",
  })
end

return M
