local spec = require "imatch.spec"

local function square()
  return im.mesh.new {
    positions = im.tensor.from_table { { -1, -1, 0 }, { 1, -1, 0 }, { 1, 1, 0 }, { -1, 1, 0 } },
    triangles = im.tensor.from_table { { 0, 1, 2 }, { 0, 2, 3 } },
    colours = im.tensor.from_table { { 255, 0, 0 }, { 255, 0, 0 }, { 255, 0, 0 }, { 255, 0, 0 } },
  }
end

spec.describe("raster", function(it)
  it("sees a square as it stands", function()
    local camera = im.camera.look_at { eye = { 0, 0, 2 }, width = 32, height = 32, focal_mm = 18 }
    local view = im.raster.view(square(), camera, { width = 32, height = 32, layers = 3, backend = "torch" })
    spec.equal(1, view:counts():max())
    local points = view:points()
    spec.near(0, points:get(16, 16, 0, 5), 1e-6) -- at the depth of the origin
    spec.near(points:get(10, 20, 0, 1), points:get(10, 20, 0, 4), 1e-6) -- y is up in both
    spec.truthy(points:get(8, 16, 0, 1) > 0)
    local opencv = view:points "opencv"
    spec.near(-points:get(10, 20, 0, 4), opencv:get(10, 20, 0, 4), 1e-9)
    spec.raises("expected 'opengl' or 'opencv'", view.points, view, "blender")
    local red, green = view:image({ samples = 1 }):pixel(16, 16)
    spec.truthy(red > 200 and green == 0)
  end)

  it("scales meshes, at rest and posed", function()
    local camera = im.camera.look_at { eye = { 0, 0, 2 }, width = 32, height = 32, focal_mm = 18 }
    local view = im.raster.view(square(), camera, { width = 32, height = 32, scale = 0 })
    local points = view:points()
    spec.near(points:get(16, 18, 0, 0), points:get(16, 18, 0, 3), 1e-6)
    spec.equal(0, view:counts():get(2, 16)) -- four pixels away from the middle it ends
  end)

  it("says what cannot be", function()
    local points = im.mesh.new { positions = im.tensor.from_table { { 0, 0, 1 } } }
    spec.raises("the mesh has no triangles", im.raster.view, points, {})
    spec.raises("names vertex 5 of 1", im.mesh.new,
      { positions = im.tensor.from_table { { 0, 0, 1 } }, triangles = im.tensor.from_table { { 0, 0, 5 } } })
    spec.raises("in [1, 16384]", im.raster.view, square(), {}, { width = 0 })
    spec.raises("count", im.camera.ring, { count = 0 })
  end)
end)
