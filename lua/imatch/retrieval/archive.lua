-- Global vectors below an embed root, by alias: <root>/.../<alias>/<label>/<kind>/<file>.npy.
local native = require "imatch.native"

local M = {}

--- The kind of the files of a global vector: GlobalToken for the usual one (nil), GlobalMeanPatches for 'mean_patches'.
---@param global string?
function M.kind(global)
  return "Global" .. (global and ("_" .. global):gsub("_(%w)", string.upper) or "Token")
end

--- Paths of the global vectors of one kind and variant by alias, sorted, and how many of other variants lie there by alias; nil,
--- message when the root cannot be read.
---@param root string
---@param kind string as kind() gives it
---@param variant string 'raw', 'sub<stride>' or 'all'
---@return table? paths_by_alias, table|string num_others_by_alias
function M.find(root, kind, variant)
  local files, message = native.file.list(root, { extensions = { "npy" }, recursive = true })
  if not files then
    return nil, message
  end
  local by_alias, num_others = {}, {}
  for _, file in ipairs(files) do
    local path = root .. "/" .. file
    local alias, name = path:match "([^/]+)/[^/]+/[^/]+/([^/]+)$"
    local is = alias and native.retrieval.global_variant(name, kind)
    if is and (variant == "all" or is == variant) then
      by_alias[alias] = by_alias[alias] or {}
      table.insert(by_alias[alias], path)
    elseif is then
      num_others[alias] = (num_others[alias] or 0) + 1
    end
  end
  return by_alias, num_others
end

--- The same file of a variant has another name: one root may hold both.
---@param by_alias table
---@return string[] aliases sorted
function M.aliases(by_alias)
  local names = {}
  for alias in pairs(by_alias) do
    names[#names + 1] = alias
  end
  table.sort(names)
  return names
end

return M
