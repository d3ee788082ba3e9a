-- A reference made from a photo: rotated, cut to the photo's shape, and its centre cropped.
local M = {}

--- The largest part of the shape of width x height from the middle of a picture, scaled to that size.
local function filled(image, width, height)
  local w, h = image:width(), image:height()
  local cut_w, cut_h = w, h
  if w * height > h * width then
    cut_w = math.max(1, math.floor(h * width / height + 0.5))
  else
    cut_h = math.max(1, math.floor(w * height / width + 0.5))
  end
  local cut = image:crop(math.floor((w - cut_w) / 2), math.floor((h - cut_h) / 2), cut_w, cut_h)
  return (cut:resize { mode = "exact", width = width, height = height })
end

--- The photo rotated counter-clockwise by `angle_deg` on a larger canvas, cut to its shape and scaled to its size, and the
--- centre of that: `ratio` of each side.
---@param photo any Image
---@param angle_deg number
---@param ratio number in (0, 1]
---@param is_full_size boolean scale the centre to the photo's size
function M.make(photo, angle_deg, ratio, is_full_size)
  local width, height = photo:width(), photo:height()
  local rotated = filled(photo:rotate(-angle_deg), width, height)
  local w, h = math.max(1, math.floor(width * ratio)), math.max(1, math.floor(height * ratio))
  local cropped = rotated:crop(math.floor((width - w) / 2), math.floor((height - h) / 2), w, h)
  return is_full_size and (cropped:resize { mode = "exact", width = width, height = height }) or cropped
end

return M
