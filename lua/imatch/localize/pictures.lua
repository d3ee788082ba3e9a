-- Pictures of localised photos: the photo beside its place on the map, and the tiles that the retrieval found.
local im = require "imatch"

local M = {}

local RIGHT, WRONG, TILE_PX = { 26, 127, 75 }, { 180, 35, 24 }, 320

local function map_view(map, pose, width, height)
  return map:view {
    x_m = pose.x_m, y_m = pose.y_m, heading_deg = pose.heading_deg, width = width, height = height, fov_deg = 60,
    altitude_m = im.geo.altitude_for_width_m(pose.width_m, 60),
  }
end

--- The photo and the map rendered at the predicted pose, with the matches that the prediction was made from.
---@param map table Ground
---@param photo table Image
---@param location table what ReferenceMap:locate gave, with a position
function M.matches(map, photo, location)
  local view = map_view(map, location, photo:width(), photo:height())
  local view_from_ground = im.homography.inverse(view:ground_from_image())
  local width, height, all = photo:width(), photo:height(), location.matches
  local matches, inliers = { points_a = {}, points_b = {}, similarity = {} }, {}
  for i, ground in ipairs(all.ground_m) do
    local x, y = im.homography.apply(view_from_ground, ground[1], ground[2])
    if x >= 0 and y >= 0 and x <= width and y <= height then -- what was matched reached somewhat farther
      local k = #inliers + 1
      matches.points_a[k], matches.points_b[k], matches.similarity[k] = all.photo_px[i], { x, y }, all.similarity[i]
      inliers[k] = all.inliers[i]
    end
  end
  return im.image.draw_matches(photo, view:image(), matches, inliers, {
    caption = ("%s: %d inliers of %d matches, sigma %.2f m"):format(location.found and "found" or "not found",
      location.num_inliers, location.num_matches, location.position_sigma_m),
  })
end

local function paste(canvas, image, x)
  local placed, valid = image:warp({ 1, 0, x, 0, 1, 0, 0, 0, 1 }, canvas:width(), canvas:height())
  return canvas:blend(placed, 1, valid)
end

local function framed(image, colour)
  local w, h = image:width() - 2, image:height() - 2
  return image:draw_polygon({ { 2, 2 }, { w, 2 }, { w, h }, { 2, h } }, { colour = colour, thickness_px = 5 })
end

--- The photo and the first tiles of the retrieval in a row, framed green where the centre is right, else red.
---@param tiles table[] as ReferenceMap:retrieve gives them
---@param is_right fun(tile): boolean? nil: not known, no frame
function M.strip(map, photo, tiles, is_right)
  local height = math.floor(TILE_PX * photo:height() / photo:width() + 0.5)
  local canvas = im.image.new((TILE_PX + 6) * (#tiles + 1), height, { 255, 255, 255 })
  canvas = paste(canvas, (photo:resize { mode = "exact", width = TILE_PX, height = height }), 0)
  for i, tile in ipairs(tiles) do
    local view = map_view(map, tile, TILE_PX, height):image()
    local right = is_right(tile)
    canvas = paste(canvas, right == nil and view or framed(view, right and RIGHT or WRONG), i * (TILE_PX + 6))
  end
  return canvas
end

return M
