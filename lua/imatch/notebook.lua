-- How values look in a notebook: pictures as PNG, lists of rows as tables, everything else as text. host/notebook.h asks.
local im = require "imatch.native"

local M = {}

local MAX_ROWS, MAX_WIDTH_PX = 50, 1600

local function is_image(value)
  return type(value) == "userdata" and getmetatable(value) == "Image"
end

--- A picture as PNG in base 64, no wider than a page.
local function png(image)
  local is_large = image:width() > MAX_WIDTH_PX
  local small = is_large and image:resize { mode = "exact", width = MAX_WIDTH_PX,
    height = math.max(1, math.floor(image:height() * MAX_WIDTH_PX / image:width() + 0.5)) } or image
  return im.internal.png_base64(small)
end

--- The columns of a list of tables that all have names for keys and plain values; nil for anything else.
local function columns_of(rows)
  if type(rows) ~= "table" or type(rows[1]) ~= "table" then
    return nil
  end
  local names, is_there = {}, {}
  for _, row in ipairs(rows) do
    if type(row) ~= "table" then
      return nil
    end
    for name, value in pairs(row) do
      if type(name) ~= "string" or type(value) == "table" or type(value) == "userdata" then
        return nil
      elseif not is_there[name] then
        names[#names + 1], is_there[name] = name, true
      end
    end
  end
  table.sort(names)
  return #names > 0 and names or nil
end

local function html_table(rows, names)
  local function cells(tag, texts)
    for i, text in ipairs(texts) do
      texts[i] = ("<%s>%s</%s>"):format(tag, im.report.html(text), tag)
    end
    return "<tr>" .. table.concat(texts) .. "</tr>"
  end
  local lines = { "<table>", cells("th", { unpack(names) }) }
  for i, row in ipairs(rows) do
    if i > MAX_ROWS then
      lines[#lines + 1] = ("<tr><td colspan=\"%d\">... %d rows in all</td></tr>"):format(#names, #rows)
      break
    end
    local texts = {}
    for k, name in ipairs(names) do
      local value = row[name]
      texts[k] = type(value) == "number" and ("%.6g"):format(value) or value == nil and "" or tostring(value)
    end
    lines[#lines + 1] = cells("td", texts)
  end
  lines[#lines + 1] = "</table>"
  return table.concat(lines)
end

--- What a notebook shows of one value: { [MIME type] = text }.
local function shown(value)
  local data = { ["text/plain"] = require("imatch.inspect").text(value) }
  if is_image(value) and not data["text/plain"]:find "closed" then
    data["image/png"] = png(value)
  end
  local names = columns_of(value)
  if names then
    data["text/html"] = html_table(value, names)
  end
  return data
end

--- What a notebook shows of the values of a cell: the first as it is best seen, of several the text of each.
function M.data(...)
  if select("#", ...) == 1 then
    return shown((...))
  end
  local texts = {}
  for i = 1, select("#", ...) do
    texts[i] = require("imatch.inspect").text((select(i, ...)))
  end
  return { ["text/plain"] = table.concat(texts, "\n") }
end

--- From now on im.preview shows pictures by `display`.
---@param display fun(data: table)
function M.show_with(display)
  require("imatch.preview").show = function(image)
    display(shown(image))
  end
end

return M
