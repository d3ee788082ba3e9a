-- What `dtype=fastest` becomes, which depends on the machine: a cell that names it counts with what it stands for, so that
-- machines which choose otherwise share no cells.
local native = require "imatch.native"

local M = {}

local function machine()
  local versions = native.version()
  return { processor = versions.processor, features = versions.features, AMX = versions.AMX, GPU = versions.GPU,
    libtorch = versions.LibTorch }
end

--- Whether a value is the word "fastest", or a specification with `dtype=fastest`.
---@param value any
---@return boolean
function M.is_open(value)
  return type(value) == "string" and (value == "fastest" or (value .. " "):find(" dtype=fastest ", 1, true) ~= nil)
end

--- Of a backbone's specification that leaves the type to the machine, the whole with the type that was chosen; of the word
--- "fastest" alone, what the choice depends on; nil for any other value.
---@param value any a value of an axis
function M.meant_by(value)
  if not M.is_open(value) then
    return nil
  elseif value == "fastest" then
    return machine()
  end
  local backbone, message = native.backbone.open(value)
  return backbone and backbone:spec() or error(message, 0)
end

--- Of the parameters of a cell, those that leave a type to the machine, with what they mean; nil when there are none.
---@param params table
---@return table?
function M.of_cell(params)
  local meant
  for name, value in pairs(params) do
    local meaning = M.meant_by(value)
    if meaning then
      meant = meant or {}
      meant[name] = meaning
    end
  end
  return meant
end

return M
