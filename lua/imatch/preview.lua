-- A picture in the terminal: by the kitty protocol or as sixels where the terminal knows them, else as half blocks in
-- colour, which any modern terminal draws.
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

local DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

local function base64(bytes)
  local parts = {}
  for i = 1, #bytes, 3 do
    local a, b, c = bytes:byte(i, i + 2)
    local block = a * 65536 + (b or 0) * 256 + (c or 0)
    local digits = {}
    for k = 1, 4 do
      local digit = math.floor(block / 64 ^ (4 - k)) % 64
      digits[k] = (k == 3 and not b or k == 4 and not c) and "=" or DIGITS:sub(digit + 1, digit + 1)
    end
    parts[#parts + 1] = table.concat(digits)
  end
  return table.concat(parts)
end

--- https://sw.kovidgoyal.net/kitty/graphics-protocol: a PNG in chunks of 4096 bytes.
function M.kitty(image)
  local data, parts = base64(image:encode "png"), {}
  for at = 1, #data, 4096 do
    local is_last = at + 4096 > #data
    parts[#parts + 1] = ("\27_G%sm=%d;%s\27\\"):format(at == 1 and "a=T,f=100," or "", is_last and 0 or 1,
      data:sub(at, at + 4095))
  end
  return table.concat(parts) .. "\n"
end

--- DEC's sixels: six rows at a time, over a cube of 6 x 6 x 6 colours with ordered dithering.
function M.sixel(image)
  local width, height = image:width(), image:height()
  local BAYER = { 0, 8, 2, 10, 12, 4, 14, 6, 3, 11, 1, 9, 15, 7, 13, 5 }
  local function level(value, x, y)
    local threshold = (BAYER[y % 4 * 4 + x % 4 + 1] + 0.5) / 16
    return math.min(5, math.floor(value / 51 + threshold))
  end
  local parts = { ('\27Pq"1;1;%d;%d'):format(width, height) }
  for color = 0, 215 do
    parts[#parts + 1] = ("#%d;2;%d;%d;%d"):format(color, math.floor(color / 36) * 20, math.floor(color / 6) % 6 * 20,
      color % 6 * 20)
  end
  for top = 0, height - 1, 6 do
    local columns = {} -- colour -> column -> which of the six rows
    for y = top, math.min(top + 5, height - 1) do
      for x = 0, width - 1 do
        local r, g, b = image:pixel(x, y)
        local color = level(r, x, y) * 36 + level(g, x, y) * 6 + level(b, x, y)
        columns[color] = columns[color] or {}
        columns[color][x] = (columns[color][x] or 0) + 2 ^ (y - top)
      end
    end
    local is_first = true
    for color, bits in pairs(columns) do
      local line = { is_first and "" or "$", "#", tostring(color) }
      local x = 0
      while x < width do
        local value, length = bits[x] or 0, 1
        while x + length < width and (bits[x + length] or 0) == value do
          length = length + 1
        end
        local char = string.char(63 + value)
        line[#line + 1] = length > 3 and ("!%d%s"):format(length, char) or char:rep(length)
        x = x + length
      end
      parts[#parts + 1] = table.concat(line)
      is_first = false
    end
    parts[#parts + 1] = "-"
  end
  return table.concat(parts) .. "\27\\\n"
end

--- Two pixels a character: the upper half block in the colour of the upper one on the colour of the lower one.
function M.blocks(image)
  local lines = {}
  for y = 0, image:height() - 1, 2 do
    local line = {}
    for x = 0, image:width() - 1 do
      local r, g, b = image:pixel(x, y)
      local low_r, low_g, low_b = r, g, b
      if y + 1 < image:height() then
        low_r, low_g, low_b = image:pixel(x, y + 1)
      end
      line[#line + 1] = ("\27[38;2;%d;%d;%dm\27[48;2;%d;%d;%dm▀"):format(r, g, b, low_r, low_g, low_b)
    end
    lines[#lines + 1] = table.concat(line) .. "\27[0m"
  end
  return table.concat(lines, "\n") .. "\n"
end

local SIZES = { kitty = 640, sixel = 480 }

--- The picture as text for a terminal; empty where it cannot show any.
---@param image table an Image
---@param way string? 'kitty', 'sixel', 'blocks' or 'none'; default: what the terminal knows
---@return string
function M.text(image, way)
  way = way or M.way()
  if not WAYS[way] then
    error(("preview: way is '%s'; expected 'kitty', 'sixel', 'blocks' or 'none'"):format(tostring(way)), 2)
  elseif way == "none" or image:width() == 0 or image:height() == 0 then
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
  local text = M[way](small)
  if is_large then
    small:close()
  end
  return text
end

--- Shows a picture in the terminal.
---@param image table an Image
---@param way string?
function M.preview(image, way)
  io.write(M.text(image, way))
end

M.documentation = {
  preview = {
    signature = "preview(image [, way])",
    text = "Shows a picture in the terminal: by the kitty protocol or as sixels where it knows them, else as half blocks in "
      .. "colour. way: 'kitty', 'sixel', 'blocks' or 'none'; the environment variable IMATCH_PREVIEW chooses one for good. The "
      .. "interactive session shows pictures this way.",
    example = "im.preview(im.image.new(8, 8), 'blocks')",
  },
}

return M
