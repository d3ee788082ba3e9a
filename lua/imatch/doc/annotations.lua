-- The reference as LuaCATS annotations, by which lua-language-server completes and checks. The same documentation gives the
-- same bytes.
local backbones = require "imatch.doc.backbones"
local pages = require "imatch.doc.pages"

local M = {}

local TYPES = {
  integer = "integer", number = "number", boolean = "boolean", string = "string", table = "table", ["function"] = "function",
  list = "any[]", value = "any", text = "string", ["nil"] = "nil",
}

--- The type behind `->`, or of an option, as an annotation.
local function annotation(text, is_class)
  local plain = text:gsub("%s+$", "")
  if is_class[plain] then
    return plain
  elseif TYPES[plain] then
    return TYPES[plain]
  end
  local element = plain:match "^list of (%w+)$"
  if element then
    element = is_class[element] and element or TYPES[element] or TYPES[element:gsub("s$", "")] or "any"
    return element .. "[]"
  end
  local alternatives = plain:match "^(%w+) or %w+$" and { plain:match "^(%w+) or (%w+)$" }
  if alternatives and TYPES[alternatives[1]] and TYPES[alternatives[2]] then
    return TYPES[alternatives[1]] .. "|" .. TYPES[alternatives[2]]
  end
  if plain:find "^table" then
    return "table"
  elseif plain:find "^list" then
    return "any[]"
  end
  return "any"
end

--- { {name, is_optional} } from "match.mutual_nearest(a, b [, options]) -> Matches".
local function parameters(signature)
  local list = {}
  local inside = signature:match "%b()"
  local depth = 0
  local text = (inside or "()"):sub(2, -2)
  local at = 1
  while at <= #text do
    local char = text:sub(at, at)
    if char == "[" then
      depth = depth + 1
      at = at + 1
    elseif char == "]" then
      depth = depth - 1
      at = at + 1
    elseif text:find("^%.%.%.", at) then
      list[#list + 1] = { "...", false }
      at = at + 3
    elseif char:find "[%a_]" then
      local name = text:match("^[%w_]+", at)
      list[#list + 1] = { name, depth > 0 }
      at = at + #name
    else
      at = at + 1
    end
  end
  return list
end

local KEYWORDS = { ["function"] = "fn", ["end"] = "last", ["in"] = "input", ["or"] = "other", ["and"] = "also", ["not"] = "no" }

local function comment(text, out)
  for line in (text .. "\n"):gmatch "(.-)\n" do
    out[#out + 1] = "---" .. line
  end
end

local BACKBONE_OPTIONS = "imatch.backbone_options"

--- Options of all backbones as one class: which of them a call takes is decided by the name in it.
local function backbone_options(is_class, out)
  out[#out + 1] = "---@class " .. BACKBONE_OPTIONS
  for _, entry in ipairs(backbones.options()) do
    out[#out + 1] = ("---@field %s? %s %s Of %s."):format(entry.option.name, annotation(entry.option.type, is_class),
      (entry.option.doc:gsub("\n", " ")), table.concat(entry.names, ", "))
  end
  out[#out + 1] = ""
end

local function entry_annotations(entry, full_name, is_class, out)
  local option_class
  if entry.options and #entry.options > 0 then
    option_class = "imatch." .. entry.name:gsub(":", ".") .. ".options"
    out[#out + 1] = "---@class " .. option_class
    for _, option in ipairs(entry.options) do
      local default = pages.default_text(option)
      out[#out + 1] = ("---@field %s? %s %s%s%s"):format(option.name, annotation(option.type, is_class),
        (option.doc:gsub("\n", " ")), option.allowed ~= "" and " " .. option.allowed .. "." or "",
        default ~= "" and " Default " .. default .. "." or "")
    end
    out[#out + 1] = ""
  end
  comment(entry.text, out)
  comment("```lua\n" .. entry.example .. "\n```", out)
  local names, num_options = {}, 0
  for i, parameter in ipairs(parameters(entry.signature)) do
    local name = KEYWORDS[parameter[1]] or parameter[1]
    names[i] = name
    if name ~= "..." then
      local is_options = name == "options"
        and (option_class or entry.signature:find "[(, ]backbone[ ,]" and BACKBONE_OPTIONS or entry.signature:find "[(]spec"
          and BACKBONE_OPTIONS)
      num_options = num_options + (is_options and 1 or 0)
      out[#out + 1] = ("---@param %s%s %s"):format(name, parameter[2] and "?" or "", is_options or "any")
    end
  end
  local results = entry.signature:match "%->%s*(.+)$"
  if results then
    for result in (results .. ","):gmatch "([^,]+),%s*" do
      out[#out + 1] = "---@return " .. annotation(result, is_class)
    end
  end
  out[#out + 1] = ("function %s(%s) end\n"):format(full_name, table.concat(names, ", "))
end

--- Files of the annotations: { [name] = text }.
---@return table<string, string>
function M.files()
  local list, is_class, files = pages.pages(), {}, {}
  for _, page in ipairs(list) do
    for _, kind in ipairs(page.types) do
      is_class[kind.name] = true
    end
  end
  local head = "---@meta imatch\n-- Made by `imatch-lua doc --meta lua/imatch/_meta`: types for lua-language-server.\n"
  local out = { head, "---@class imatch", "local im = {}\n" }
  backbone_options(is_class, out)
  for _, page in ipairs(list) do
    for _, kind in ipairs(page.types) do
      comment(kind.text, out)
      out[#out + 1] = "---@class " .. kind.name
      out[#out + 1] = ("local %s = {}\n"):format(kind.name)
      for _, entry in ipairs(kind.methods) do
        entry_annotations(entry, entry.name, is_class, out)
      end
    end
    if page.name ~= "" then
      if page.text ~= "" then
        comment(page.text, out)
      end
      out[#out + 1] = ("---@class imatch.%s"):format(page.name)
      out[#out + 1] = ("im.%s = {}\n"):format(page.name)
    end
    for _, entry in ipairs(page.functions) do
      if entry.name ~= "inspect" then
        entry_annotations(entry, "im." .. entry.name, is_class, out)
      end
    end
  end
  out[#out + 1] = "return im\n"
  files["imatch.lua"] = table.concat(out, "\n")
  return files
end

return M
