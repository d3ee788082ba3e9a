-- Seconds for a layered point map of 160 x 160 pixels and 8 layers of the mesh in FILE (npz: positions, triangles).
local im = require "imatch"

local arrays = assert(im.io.read_npz((...)))
local mesh = im.mesh.new(arrays)
local camera = im.camera.look_at { eye = { 1.5, 0.9, 1.9 }, focal_mm = 50 }
local times = {}
for i = -5, 40 do
  local start = im.now()
  local view = im.raster.view(mesh, camera, { scale = 0 })
  view:points():close()
  times[math.max(i, 1)] = im.now() - start
  view:close()
end
table.sort(times)
print(times[math.ceil(#times / 4)])
