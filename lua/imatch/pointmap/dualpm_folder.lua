-- Samples of a data set as DualPM's code reads it (its guide's images/ stands for renders/).
local cli = require "imatch.cli"
local im = require "imatch"
local mesh_cache = require "imatch.pointmap.mesh_cache"

local M = {}

local function view_of(root, id, args)
  local shape, camera, poses = im.raster.dualpm_scene(root, id, args.size)
  if not shape then
    return nil, camera
  end
  local mesh, broken = mesh_cache.open(shape, args)
  if not mesh then
    return nil, broken
  end
  return im.raster.view(mesh, camera, mesh_cache.view_options(args), poses)
end

function M.samples(root, _, args)
  local folder = im.file.is_folder(root .. "/renders") and "renders" or "images"
  local names = im.file.list(("%s/%s"):format(root, folder), { extensions = { "png", "jpg" } })
  if not names then
    cli.fail(root .. ": neither renders/ nor images/ is in it: no data set")
  end
  local samples = {}
  for _, name in ipairs(names) do
    local id = name:match "^(.*)_rgb%.%w+$" or (folder == "images" and im.file.stem(name)) or nil
    local number = tonumber(id)
    local skipped = number and args.skip_multiples > 0 and number % args.skip_multiples == 0
    if id and not skipped then
      samples[#samples + 1] = { id = id, view = function()
        return view_of(root, id, args)
      end }
    end
  end
  if #samples == 0 then
    cli.fail(("%s/%s: no <id>_rgb.png in it"):format(root, folder))
  end
  return samples
end

return M
