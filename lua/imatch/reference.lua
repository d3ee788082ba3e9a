-- The reference as files, made of the documentation entries: Markdown for people, LuaCATS annotations for editors
-- (lua-language-server completes and checks by them). The same input gives the same bytes.
local doc = require "imatch.doc"
local native = require "imatch.native"

local M = {}

-- ---- What there is -------------------------------------------------------------------------------------------------------

--- Pages in the order of the rooms: { { name, text, functions = {entries}, types = {{name, text, methods = {entries}}} } }.
local function pages()
  local list, by_name, type_pages = {}, {}, {}
  for _, module in ipairs(native.overview()) do
    local page = { name = module.name, text = module.text, functions = {}, types = {} }
    list[#list + 1], by_name[module.name] = page, page
    for _, kind in ipairs(module.types) do
      local of_type = { name = kind.name, text = kind.text, methods = {} }
      page.types[#page.types + 1], type_pages[kind.name] = of_type, of_type
    end
  end
  local names = {}
  for name in pairs(doc.entries()) do
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    local entry = doc.entries()[name]
    local type_name = name:match "^(%u%w*):"
    local module = name:match "^([%w_]+)%." or ""
    if type_name and type_pages[type_name] then
      table.insert(type_pages[type_name].methods, entry)
    elseif not type_name then
      if not by_name[module] then -- doc, inspect: tables written in Lua
        by_name[module] = { name = module, text = "", functions = {}, types = {} }
        list[#list + 1] = by_name[module]
      end
      table.insert(by_name[module].functions, entry)
    end
  end
  return list
end

local function default_text(option)
  if type(option.default) == "table" then
    return (require("imatch.inspect").text(option.default):gsub("%s+", " "))
  elseif type(option.default) == "string" then
    return "'" .. option.default .. "'"
  end
  return option.default ~= nil and tostring(option.default) or ""
end

-- ---- Markdown ------------------------------------------------------------------------------------------------------------

local function cell(text)
  return (text:gsub("|", "\\|"):gsub("\n", " "))
end

local function entry_markdown(entry, out)
  out[#out + 1] = ("### %s\n"):format(entry.name)
  out[#out + 1] = ("```lua\n%s%s\n```\n"):format(entry.name:find ":" and "" or "im.", entry.signature)
  out[#out + 1] = entry.text .. "\n"
  if entry.options and #entry.options > 0 then
    out[#out + 1] = "| option | type | default | |\n| --- | --- | --- | --- |"
    for _, option in ipairs(entry.options) do
      local default = default_text(option)
      out[#out + 1] = ("| `%s` | %s%s | %s | %s |"):format(option.name, cell(option.type),
        option.allowed ~= "" and " " .. cell(option.allowed) or "", default ~= "" and "`" .. cell(default) .. "`" or "",
        cell(option.doc))
    end
    out[#out + 1] = ""
  end
  out[#out + 1] = ("```lua\n%s\n```\n"):format(entry.example)
end

local NOTE = "<!-- Made by `imatch-lua doc --markdown docs/reference`. -->\n"

--- Files of the Markdown reference: { [name] = text }.
---@return table<string, string>
function M.markdown()
  local files, index = {}, { NOTE, "# Reference\n" }
  index[#index + 1] = "`local im = require \"imatch\"`. The same text is printed by `imatch-lua doc NAME` and by `?NAME` in the "
    .. "interactive session; every example is executed by the tests.\n"
  for _, page in ipairs(pages()) do
    local title = page.name == "" and "im" or "im." .. page.name
    local file = (page.name == "" and "im" or page.name) .. ".md"
    local out = { NOTE, ("# %s\n"):format(title) }
    if page.text ~= "" then
      out[#out + 1] = page.text .. "\n"
    end
    for _, entry in ipairs(page.functions) do
      entry_markdown(entry, out)
    end
    for _, kind in ipairs(page.types) do
      out[#out + 1] = ("## %s\n\n%s\n"):format(kind.name, kind.text)
      for _, entry in ipairs(kind.methods) do
        entry_markdown(entry, out)
      end
    end
    if #page.functions + #page.types > 0 then
      files[file] = table.concat(out, "\n")
      local kinds = {}
      for i, kind in ipairs(page.types) do
        kinds[i] = kind.name
      end
      index[#index + 1] = ("- [%s](%s) %s%s"):format(title, file, page.text,
        #kinds > 0 and " Types: " .. table.concat(kinds, ", ") .. "." or "")
    end
  end
  files["README.md"] = table.concat(index, "\n") .. "\n"
  return files
end

-- ---- LuaCATS -------------------------------------------------------------------------------------------------------------

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

local function entry_annotations(entry, full_name, is_class, out)
  local option_class
  if entry.options and #entry.options > 0 then
    option_class = "imatch." .. entry.name:gsub(":", ".") .. ".options"
    out[#out + 1] = "---@class " .. option_class
    for _, option in ipairs(entry.options) do
      local default = default_text(option)
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
      local is_options = option_class and name == "options"
      num_options = num_options + (is_options and 1 or 0)
      out[#out + 1] = ("---@param %s%s %s"):format(name, parameter[2] and "?" or "", is_options and option_class or "any")
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
function M.annotations()
  local list, is_class, files = pages(), {}, {}
  for _, page in ipairs(list) do
    for _, kind in ipairs(page.types) do
      is_class[kind.name] = true
    end
  end
  local head = "---@meta imatch\n-- Made by `imatch-lua doc --meta lua/imatch/_meta`: types for lua-language-server.\n"
  local out = { head, "---@class imatch", "local im = {}\n" }
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

--- Writes files into a folder and removes none. Returns the names of those that changed, sorted.
---@param files table<string, string>
---@param folder string
---@param is_check boolean only looks
---@return string[]
function M.write(files, folder, is_check)
  local changed = {}
  for name, text in pairs(files) do
    local path = folder .. "/" .. name
    local file = io.open(path, "rb")
    local old = file and file:read "*a"
    if file then
      file:close()
    end
    if old ~= text then
      changed[#changed + 1] = name
      if not is_check then
        os.execute(("mkdir -p '%s'"):format((folder:gsub("'", "'\\''"))))
        file = assert(io.open(path, "wb"))
        assert(file:write(text))
        assert(file:close())
      end
    end
  end
  table.sort(changed)
  return changed
end

return M
