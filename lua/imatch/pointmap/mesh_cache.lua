-- Meshes that samples share, and what raster.view is told.
local im = require "imatch"

local M = {}

local open = {}

--- The mesh of that file, read once. Not closed by the scope of a sample.
function M.open(path, args)
  local found = open[path]
  if not found then
    local mesh, message = im.mesh.open(path, { mesh = args.mesh, normalize_weights = args.normalize_weights or false })
    if not mesh then
      return nil, message
    end
    open[path], found = mesh, mesh
  end
  return found
end

function M.view_options(args)
  return { width = args.size, height = args.size, layers = args.layers, near_z = args.near, far_z = args.far,
    backend = args.backend, scale = args.scale }
end

return M
