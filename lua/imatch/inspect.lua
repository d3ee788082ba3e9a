-- Any value as text a person can read: tables with sorted keys, limits on depth and width, cycles marked.
local M = {}

local MAX_DEPTH, MAX_ITEMS, MAX_WIDTH = 4, 40, 100

local function is_name(key)
  return type(key) == "string" and key:match "^[%a_][%w_]*$" ~= nil
end

local function sorted_keys(value)
  local keys = {}
  for key in pairs(value) do
    keys[#keys + 1] = key
  end
  table.sort(keys, function(a, b)
    if type(a) == type(b) and (type(a) == "number" or type(a) == "string") then
      return a < b
    end
    return type(a) == "number" and type(b) ~= "number" or (type(a) == type(b) and tostring(a) < tostring(b))
  end)
  return keys
end

--- What a function of ours is called with, or where another one stands.
local function function_text(fn)
  local entry = require("imatch.doc").entry_of(fn)
  if entry then
    return "function " .. (entry.name:find ":" and "" or "im.") .. entry.signature
  end
  local place = debug.getinfo(fn, "S")
  return place.what == "C" and "function" or ("function (%s:%d)"):format(place.short_src, place.linedefined)
end

local render

local function render_table(value, indent, depth, seen)
  if seen[value] then
    return "<cycle>"
  end
  if depth >= MAX_DEPTH then
    return next(value) == nil and "{}" or "{...}"
  end
  seen[value] = true
  local items, length = {}, #value
  for i, item in ipairs(value) do
    if i > MAX_ITEMS then
      items[#items + 1] = ("... (%d in all)"):format(length)
      break
    end
    items[#items + 1] = render(item, indent + 1, depth + 1, seen)
  end
  local shown = 0
  for _, key in ipairs(sorted_keys(value)) do
    if not (type(key) == "number" and key >= 1 and key <= length and key % 1 == 0) then
      shown = shown + 1
      if shown > MAX_ITEMS then
        items[#items + 1] = "..."
        break
      end
      local name = is_name(key) and key or "[" .. render(key, indent + 1, depth + 1, seen) .. "]"
      items[#items + 1] = name .. " = " .. render(value[key], indent + 1, depth + 1, seen)
    end
  end
  seen[value] = nil
  local line = "{ " .. table.concat(items, ", ") .. " }"
  if #items == 0 then
    return "{}"
  elseif #line + 2 * indent <= MAX_WIDTH and not line:find "\n" then
    return line
  end
  local pad = ("  "):rep(indent + 1)
  return "{\n" .. pad .. table.concat(items, ",\n" .. pad) .. "\n" .. ("  "):rep(indent) .. "}"
end

function render(value, indent, depth, seen)
  local kind = type(value)
  if kind == "string" then
    return depth == 0 and value or ("%q"):format(value):gsub("\\\n", "\\n")
  elseif kind == "table" then
    local meta = getmetatable(value)
    if type(meta) == "table" and rawget(meta, "__tostring") then
      return tostring(value)
    end
    return render_table(value, indent, depth, seen)
  elseif kind == "function" then
    return function_text(value)
  end
  return (tostring(value):gsub(": 0x%x+$", ""):gsub("^file %(0x%x+%)$", "file")) -- an address tells a person nothing
end

--- Any value as text: tables with sorted keys, at most 4 deep and 40 wide.
---@param value any
---@return string
function M.text(value)
  return (render(value, 0, 0, {}))
end

--- Prints values as the interactive session does: of a picture also a small view, where the terminal can show one.
function M.print(...)
  for i = 1, select("#", ...) do
    local value = select(i, ...)
    local text = M.text((value))
    io.write(text, "\n")
    if type(value) == "userdata" and getmetatable(value) == "Image" and not text:find "closed" then
      require("imatch.preview").preview(value)
    end
  end
end

M.documentation = {
  ["inspect.text"] = {
    signature = "inspect.text(value) -> string",
    text = "Any value as text a person can read: tables with sorted keys, at most 4 levels deep, cycles marked.",
    example = "print(im.inspect.text { 1, 'two' }) --> { 1, \"two\" }",
  },
  ["inspect.print"] = {
    signature = "inspect.print(...)",
    text = "Prints values as the interactive session does; of a picture also a small view, where the terminal can show one.",
    example = "print(pcall(im.inspect.print, { a = 1 }, 'text')) --> true",
  },
}

return setmetatable(M, {
  __call = function(_, value)
    return M.text(value)
  end,
})
