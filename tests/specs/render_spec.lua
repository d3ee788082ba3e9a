local spec = require "imatch.spec"

local function apply(h, x, y)
  local w = h[7] * x + h[8] * y + h[9]
  return (h[1] * x + h[2] * y + h[3]) / w, (h[4] * x + h[5] * y + h[6]) / w
end

local function small_world() return im.render.world { seed = 4, size_m = 400 } end

spec.describe("render", function(it)
  it("shows a synthetic scene", function()
    local world = small_world()
    spec.equal("world(seed=4, size_m=400)", tostring(world))
    spec.equal(200, world:extent().east_m)
    local view = world:view { altitude_m = 60, heading_deg = 30, width = 200, height = 150 }
    spec.equal(1, view:coverage())
    spec.near(2 * 60 * math.tan(math.pi / 6) / 200, view:gsd_m(), 1e-12)
    local x, y = apply(view:ground_from_image(), 100, 75)
    spec.near(0, x, 1e-9)
    spec.near(0, y, 1e-9)
    local image = view:image()
    view:close()
    spec.equal(200, image:width()) -- lives on without its view
    local again = small_world():view { altitude_m = 60, heading_deg = 30, width = 200, height = 150 }
    spec.equal(image:digest(), again:image():digest())
  end)

  it("tells the collector of the tiles it keeps", function()
    local world = small_world()
    local before = im.memory().native_mb
    local view = world:view { altitude_m = 60 }
    view:close()
    local one_look = im.memory().native_mb - before
    spec.truthy(one_look >= 0.25) -- 256 * 256 * 4 bytes a tile
    world:view({ altitude_m = 60 }):close()
    spec.near(one_look, im.memory().native_mb - before, 1e-9) -- counted once
    world:close()
    spec.near(before, im.memory().native_mb, 1e-9)
  end)

  it("knows the truth between two views", function()
    local world = small_world()
    local a, b = world:view { x_m = 10 }, world:view { x_m = 10, heading_deg = 90, altitude_m = 60 }
    local h = im.render.b_from_a(a, b)
    local x, y = apply(h, 224, 168)
    spec.near(224, x, 1e-9)
    spec.near(168, y, 1e-9)
    x, y = apply(h, 234, 168) -- ten pixels east: up by twenty in b
    spec.near(224, x, 1e-9)
    spec.near(148, y, 1e-9)
    spec.equal(1, im.render.overlap(b, b))
    spec.near(0.25, im.render.overlap(a, b), 0.01)
  end)

  it("makes pairs", function()
    local world = small_world()
    local pair = world:pair { altitude_m = 60, rotation_deg = 45, place = 1, noise = 5, gamma = 1.2 }
    spec.equal("View", getmetatable(pair.query))
    local x, y = apply(pair.reference_from_query, 50, 60)
    local back_x, back_y = apply(pair.query_from_reference, x, y)
    spec.near(50, back_x, 1e-6)
    spec.near(60, back_y, 1e-6)
    local px, py = world:place(1)
    local gx, gy = apply(pair.reference:ground_from_image(), 224, 168)
    spec.near(px, gx, 1e-9)
    spec.near(py, gy, 1e-9)
  end)

  it("ties metres to degrees", function()
    local world = small_world()
    local lat, lon = world:latlon_from_local(120, -40)
    local x, y = world:local_from_latlon(lat, lon)
    spec.near(120, x, 1e-6)
    spec.near(-40, y, 1e-6)
    local gx, gy = apply(world:view({ latitude = lat, longitude = lon }):ground_from_image(), 224, 168)
    spec.near(120, gx, 1e-6)
    spec.near(-40, gy, 1e-6)
  end)

  it("says where nothing is to be seen", function()
    local world = small_world()
    spec.equal(0, world:view({ x_m = 5000 }):coverage())
    local mask = world:view({ x_m = 200, altitude_m = 60, width = 40, height = 30 }):mask()
    spec.equal({ 255, 255, 255 }, { mask:pixel(0, 0) })
    spec.equal({ 0, 0, 0 }, { mask:pixel(39, 0) })
  end)

  it("refuses wrong options with the nearest spelling", function()
    local world = small_world()
    spec.raises("altitude_m", world.view, world, { altitud_m = 60 })
    spec.raises("width", world.view, world, { width = 0 })
    spec.raises("longitude: missing", world.view, world, { latitude = 47 })
    spec.raises("size_m", im.render.world, { size_m = 1 })
    spec.raises("View", im.render.b_from_a, world, world)
  end)

  it("returns nil, message and code for maps that are none", function()
    spec.fails("no such file", "not_found", im.render.map "no such place/map.tif")
    spec.fails("", "not_a_file", im.render.map "/tmp")
  end)
end)
