-- The images that pair files name, opened where they are now; the latest few stay in memory.
local im = require "imatch.native"
local memoize = require("imatch.memoize").memoize

local M = {}

local Photos = {}
Photos.__index = Photos

local AT_ONCE = 4

--- root: folder of the images, where they are not at the recorded paths any more; nil: none.
---@param root string?
function M.open(root)
  return setmetatable({ root = root, picture = memoize(im.image.open, AT_ONCE) }, Photos)
end

--- The path of the image: as recorded, or the end of that path below the root, or its file name anywhere below the root.
---@param recorded string
---@return string? path
---@return string? message
function Photos:locate(recorded)
  if im.file.exists(recorded) then
    return recorded
  elseif not self.root then
    return nil, ("no such image: %s; --images or DATASET_HOST names the folder where it is now"):format(recorded)
  end
  local rest = recorded
  while rest do
    local candidate = self.root .. "/" .. rest
    if im.file.exists(candidate) then
      return candidate
    end
    rest = rest:match "^[^/]*/(.+)$"
  end
  self.files = self.files or im.file.list(self.root, { recursive = true }) or {}
  local name = recorded:match "[^/\\]+$"
  for _, path in ipairs(self.files) do
    if path:match "[^/]+$" == name then
      return self.root .. "/" .. path
    end
  end
  return nil, ("no such image: %s, and none of that name below %s"):format(recorded, self.root)
end

--- The picture itself; whoever asks must not close it. Nil and a message where it cannot be found or read.
---@param recorded string
function Photos:read(recorded)
  local path, message = self:locate(recorded)
  if not path then
    return nil, message
  end
  return self.picture(path)
end

return M
