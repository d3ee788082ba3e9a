-- What the replaced programs give the networks that they know (DINOv2, DINOv3): how images are resized, and which vector
-- stands for the whole image. What is written for others to read follows it; other backbones keep their own defaults.
local im = require "imatch.native"

local M = {}

--- By command, for these networks. `run2` goes by the file that comes with the weights.
local OF_COMMAND = {
  run = { interpolation = "bilinear", arithmetic = "float", global = "mean_prenorm" },
  run2 = { interpolation = "bilinear", arithmetic = "float", global = "class" },
  embed = { interpolation = "bicubic", arithmetic = "float", global = "mean_prenorm" },
}
local RESIZE = { run = "shorter_cut", run2 = "processor", embed = "exact" }

local function option_of(name, option)
  for _, described in ipairs(im.backbone.describe(name).options) do
    if described.name == option then
      return described
    end
  end
  return { allowed = "" }
end

--- The options of a backbone, by its name, for the files that a command writes.
---@param name string
---@param command string "run", "run2" or "embed"
---@return table<string, string>
function M.of(name, command)
  local is_theirs = option_of(name, "global").allowed:find("'mean_prenorm'", 1, true)
  local options = { resize = is_theirs and RESIZE[command] or RESIZE[command]:gsub("processor", "shorter_cut") }
  for key, value in pairs(is_theirs and OF_COMMAND[command] or {}) do
    options[key] = value
  end
  return options
end

--- The option `global` of opened options where it is not what files of this command have by their usual names; nil where it is.
---@param name string
---@param command string
---@param options table<string, any>
function M.other_global(name, command, options)
  local usual = M.of(name, command).global or option_of(name, "global").default
  if options.global and options.global ~= usual then
    return options.global
  end
end

return M
