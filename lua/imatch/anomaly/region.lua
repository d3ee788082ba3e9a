-- Chooses the region to inspect in the first normal picture, as the terminal shows it.
local im = require "imatch"

local M = {}

--- x, y, width and height in pixels of the first picture to train with; nil, message without a terminal.
---@param folder string
---@param data table options of anomaly.data
---@param ask? fun(): string? a line of the user's, for tests
function M.choose(folder, data, ask)
  ask = ask or io.read
  if ask == io.read and not im.is_terminal() then
    return nil, "--roi needs a terminal; give --roi-rect x y width height"
  end
  local list, message = im.anomaly.data(folder, data)
  if not list then
    return nil, message
  end
  local path = list.train[1].path
  local image
  image, message = im.image.open(path)
  if not image then
    return nil, message
  end
  local width, height = image:width(), image:height()
  print(("%s, %d x %d px"):format(path, width, height))
  im.preview(image)
  while true do
    io.write("region as x y width height, Enter for the whole picture: "):flush()
    local line = ask()
    if not line or line:match "^%s*$" then
      return { 0, 0, width, height }
    end
    local x, y, w, h = line:match "^%s*(%d+)[%s,]+(%d+)[%s,]+(%d+)[%s,]+(%d+)%s*$"
    x, y, w, h = tonumber(x), tonumber(y), tonumber(w), tonumber(h)
    if x and w > 0 and h > 0 and x + w <= width and y + h <= height then
      local corners = { { x, y }, { x + w, y }, { x + w, y + h }, { x, y + h } }
      im.preview(image:draw_polygon({ corners }, {}))
      io.write("this one? [Y/n] "):flush()
      if not (ask() or ""):match "^%s*[nN]" then
        return { x, y, w, h }
      end
    else
      print(("expected four numbers of a region inside of %d x %d px"):format(width, height))
    end
  end
end

return M
