-- The backbones for the reference: those that take the same options together.
local native = require "imatch.native"
local pages = require "imatch.doc.pages"

local M = {}

--- { { kinds = { { name, doc } }, options } }, in the order of the first name of each.
function M.groups()
  local list, by_options = {}, {}
  for _, name in ipairs(native.backbone.list()) do
    local kind, parts = native.backbone.describe(name), {}
    for i, option in ipairs(kind.options) do
      parts[i] = table.concat({ option.name, option.type, option.allowed, pages.default_text(option), option.doc }, "\1")
    end
    local key = table.concat(parts, "\2")
    if not by_options[key] then
      by_options[key] = { kinds = {}, options = kind.options }
      list[#list + 1] = by_options[key]
    end
    table.insert(by_options[key].kinds, { name = name, doc = kind.doc })
  end
  return list
end

--- Every option of any backbone, sorted: { option, names = of the backbones that have it }.
function M.options()
  local list, by_name = {}, {}
  for _, group in ipairs(M.groups()) do
    for _, option in ipairs(group.options) do
      if not by_name[option.name] then
        by_name[option.name] = { option = option, names = {} }
        list[#list + 1] = by_name[option.name]
      end
      for _, kind in ipairs(group.kinds) do
        table.insert(by_name[option.name].names, kind.name)
      end
    end
  end
  table.sort(list, function(a, b)
    return a.option.name < b.option.name
  end)
  return list
end

return M
