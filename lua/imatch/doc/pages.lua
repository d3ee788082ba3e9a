-- The documentation by tables of `im`: what the pages of the reference and the annotations for editors are made of.
local doc = require "imatch.doc"
local native = require "imatch.native"

local M = {}

--- Pages in the order of the rooms: { { name, text, functions = {entries}, types = {{name, text, methods = {entries}}} } }.
function M.pages()
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

--- The default of an option as Lua writes it; empty where there is none.
function M.default_text(option)
  if type(option.default) == "table" then
    return (require("imatch.inspect").text(option.default):gsub("%s+", " "))
  elseif type(option.default) == "string" then
    return "'" .. option.default .. "'"
  end
  return option.default ~= nil and tostring(option.default) or ""
end

return M
