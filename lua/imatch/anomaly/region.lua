-- Chooses the region to inspect in the first normal picture.
local im = require "imatch"

local M = {}

--- In the terminal: the picture is shown and four numbers are asked for.
local function choose_in_terminal(image, ask)
  local width, height = image:width(), image:height()
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

--- x, y, width and height in pixels of the first picture to train with: drawn in a window where there is a display, else typed
--- in the terminal; nil, message without either, or when nothing was chosen.
---@param folder string
---@param data table options of anomaly.data
---@param ask? fun(): string? a line of the user's, for tests: the terminal it is then
function M.choose(folder, data, ask)
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
  print(("%s, %d x %d px"):format(path, image:width(), image:height()))
  if not ask then
    local rect, reason, code = image:choose_rectangle "Draw the region to inspect; Enter takes it, Escape gives up"
    if rect or code ~= "no_display" then
      return rect, reason
    elseif not im.is_terminal() then
      return nil, reason .. "; --roi needs a display or a terminal: give --roi-rect x y width height instead"
    end
  end
  return choose_in_terminal(image, ask or io.read)
end

return M
