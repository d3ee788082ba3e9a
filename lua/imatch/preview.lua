-- Which way a terminal shows pictures, and how large: by the kitty protocol or as sixels where it knows them, else as half
-- blocks in colour, which any modern terminal draws.
local native = require "imatch.native"

local M = {}

local WAYS = { kitty = true, sixel = true, blocks = true, none = true }

--- How this terminal shows pictures: 'kitty', 'sixel', 'blocks' or 'none'. IMATCH_PREVIEW says so where it is set.
---@return string
function M.way()
  local wanted = os.getenv "IMATCH_PREVIEW"
  if wanted and WAYS[wanted] then
    return wanted
  end
  local term, program = os.getenv "TERM" or "", os.getenv "TERM_PROGRAM" or ""
  if not native.is_terminal() or term == "dumb" or term == "" then
    return "none"
  elseif os.getenv "KITTY_WINDOW_ID" or term:find "kitty" or term:find "ghostty" or program == "WezTerm" then
    return "kitty"
  elseif term:find "sixel" or term:find "mlterm" or term:find "^foot" or term:find "yaft" or program == "mintty" then
    return "sixel"
  end
  return "blocks"
end

local SIZES = { kitty = 640, sixel = 480 }

--- The picture as text for a terminal; empty where it cannot show any.
---@param image table an Image
---@param way string? 'kitty', 'sixel', 'blocks' or 'none'; default: what the terminal knows
---@return string
function M.text(image, way)
  way = way or M.way()
  if not WAYS[way] then
    native.internal.raise(("preview: way is '%s'; expected 'kitty', 'sixel', 'blocks' or 'none'"):format(tostring(way)))
  elseif way == "none" then
    return ""
  end
  local limit = SIZES[way]
  if not limit then -- as wide as the terminal, at most, and as high as half of it
    local size = native.terminal_size()
    local scale = math.min(math.min(size.columns, 100) / image:width(), size.rows / image:height())
    limit = math.max(1, math.floor(scale * math.max(image:width(), image:height())))
  end
  local is_large = math.max(image:width(), image:height()) > limit
  local small = is_large and image:resize { mode = "longer", size = limit } or image
  local text = small:terminal_text(way)
  if is_large then
    small:close()
  end
  return text
end

--- Shows a picture in the terminal, or by `M.show` where a notebook has set it.
---@param image table an Image
---@param way string?
function M.preview(image, way)
  if M.show and way == nil then
    return M.show(image)
  end
  io.write(M.text(image, way))
end

M.documentation = {
  preview = {
    signature = "preview(image [, way])",
    text = "Shows a picture in the terminal: by the kitty protocol or as sixels where it knows them, else as half blocks in "
      .. "colour. way: 'kitty', 'sixel', 'blocks' or 'none'; the environment variable IMATCH_PREVIEW chooses one for good. The "
      .. "interactive session shows pictures this way.",
    example = "print(pcall(im.preview, im.image.new(8, 8), 'none')) --> true",
  },
}

return M
