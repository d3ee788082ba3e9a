local spec = require "imatch.spec"

local function scratch_file(name)
  local path = os.tmpname()
  os.remove(path)
  return path .. "-" .. name
end

local function write(path, bytes)
  local file = assert(io.open(path, "wb"))
  file:write(bytes)
  file:close()
end

-- A picture that no turn or mirror leaves as it is.
local function picture()
  return im.image.new(40, 30, { 10, 200, 30 }):draw_circles({ { 10.5, 8.5 } }, { radius_px = 5, thickness_px = 0 })
end

spec.describe("image", function(it)
  it("saves and opens every format", function()
    local original = picture()
    for _, extension in ipairs { "png", "tif", "bmp", "webp" } do
      local path = scratch_file("a." .. extension)
      spec.truthy(original:save(path, { quality = 100 }))
      spec.equal({ 40, 30 }, { im.image.size(path) })
      spec.equal(original:digest(), assert(im.image.open(path)):digest(), extension)
      os.remove(path)
    end
    local decoded = assert(im.image.decode(original:encode("jpg", { quality = 95 })))
    local red, green, blue = decoded:pixel(39, 29)
    spec.near(10, red, 6)
    spec.near(200, green, 6)
    spec.near(30, blue, 6)
  end)

  it("returns nil, message and code for files that cannot be read", function()
    spec.fails("no such file", "not_found", im.image.open "no such place/photo.jpg")
    spec.fails("folder", "not_a_file", im.image.open "/tmp")
    spec.fails("folder", "not_a_file", im.image.size "/tmp")
    spec.fails("no such file", "not_found", im.image.metadata "none.jpg")
    local path = scratch_file "broken.jpg"
    write(path, "")
    spec.fails("empty file", "bad_format", im.image.open(path))
    write(path, "print 'this is no picture'")
    spec.fails("not a picture", "bad_format", im.image.open(path))
    local bytes = picture():encode "jpg"
    write(path, bytes:sub(1, math.floor(#bytes * 0.7)))
    spec.fails("truncated JPEG", "bad_format", im.image.open(path))
    write(path, bytes)
    spec.fails("max_megapixels", "too_large", im.image.open(path, { max_megapixels = 0.001 }))
    os.remove(path)
    local png = picture():encode "png"
    spec.fails("truncated", "bad_format", im.image.decode(png:sub(1, math.floor(#png * 0.7))))
    spec.equal(40, (im.image.decode(png:sub(1, -5))):width()) -- all rows are there, as Pillow has it
  end)

  it("raises for misuse and names the nearest option", function()
    spec.raises("max_megapixels", im.image.open, "x.jpg", { max_megapixel = 3 })
    spec.raises("'gif'", function() picture():save "x.gif" end)
    spec.raises("'shorter', 'longer', 'exact' or 'keep'", function() picture():resize { mode = "short" } end)
    spec.raises("[0, 39]", function() picture():pixel(40, 0) end)
    spec.raises("not inside", function() picture():crop(30, 0, 20, 5) end)
    spec.raises("must be a homography: a list of 9", function() picture():warp { 1, 2, 3 } end)
    spec.raises("expected 3", im.image.new, 2, 2, { 1, 2 })
    spec.raises("Image", im.image.normalize, io.stdout)
  end)

  it("resizes with the map back", function()
    local small, map = im.image.new(1600, 900):resize { mode = "longer", size = 336, multiple = 14 }
    spec.equal({ 336, 196 }, { small:width(), small:height() })
    spec.equal({ 336, 196 }, { im.image.resized_size(1600, 900, { mode = "longer", size = 336, multiple = 14 }) })
    spec.near(1600 / 336, map[1], 1e-12)
    spec.near(900 / 196, map[5], 1e-12)
    spec.equal({ 0, 0, 0, 0 }, { map[2], map[3], map[4], map[6] })
  end)

  it("turns clockwise, crops and warps", function()
    local original = picture()
    local rotated, map = original:rotate(90)
    spec.equal({ 30, 40 }, { rotated:width(), rotated:height() })
    local x, y = map[1] * 10.5 + map[2] * 8.5 + map[3], map[4] * 10.5 + map[5] * 8.5 + map[6]
    spec.equal({ 21.5, 10.5 }, { x, y })
    spec.equal({ original:pixel(10, 8) }, { rotated:pixel(21, 10) })
    spec.equal(original:digest(), rotated:rotate(-90):digest())
    spec.equal({ original:pixel(10, 8) }, { original:crop(8, 6, 5, 5):pixel(2, 2) })
    local moved, valid = original:warp({ 1, 0, 5, 0, 1, 0, 0, 0, 1 }, 50, 30)
    spec.equal({ original:pixel(10, 8) }, { moved:pixel(15, 8) })
    spec.equal({ 30, 50 }, valid:shape())
    spec.near(40 / 50, valid:mean(), 1e-9)
  end)

  it("normalises and back", function()
    local original = picture()
    for _, preset in ipairs { "imagenet", "sat493m", "half", "none" } do
      local tensor = im.image.normalize({ im.image.new(40, 30), original }, preset)
      spec.equal({ 2, 3, 30, 40 }, tensor:shape())
      spec.equal(original:digest(), im.image.denormalize(tensor, preset, 2):digest())
    end
    local half = im.image.normalize(im.image.new(2, 2, { 255, 255, 255 }), "half")
    spec.near(1, half:min(), 1e-6)
    spec.raises("'imagenet', 'sat493m', 'half', 'none'", im.image.normalize, original, "imagnet")
    spec.raises("do not go into one tensor", im.image.normalize, { original, im.image.new(2, 2) })
    spec.raises("[0, 1]", im.image.denormalize, im.image.normalize({ original, original }), nil, 3)
  end)

  it("counts channels over pictures", function()
    local s = im.image.statistics { im.image.new(10, 10, { 255, 0, 51 }), im.image.new(10, 10, { 0, 0, 51 }) }
    spec.equal(200, s.pixels)
    spec.near(0.5, s.mean[1], 1e-12)
    spec.near(0.5, s.std[1], 1e-12)
    spec.near(0.2, s.mean[3], 1e-12)
    spec.near(0, s.std[3], 1e-12)
  end)

  it("draws on a copy", function()
    local black = im.image.new(60, 40)
    local before = black:digest()
    local lined = black:draw_lines({ { 0, 20.5, 60, 20.5 } }, { colour = { 0, 255, 0 }, thickness_px = 3 })
    spec.equal({ 0, 255, 0 }, { lined:pixel(30, 20) })
    spec.equal({ 255, 64, 64 }, { black:draw_circles({ { 30.5, 20.5 } }, { radius_px = 6, thickness_px = 0 }):pixel(30, 20) })
    local outlined = black:draw_polygon({ { 5, 10.5 }, { 50, 10.5 }, { 25, 35 } }, { thickness_px = 3 })
    spec.equal({ 255, 64, 64 }, { outlined:pixel(30, 10) })
    spec.truthy(black:draw_text(2, 2, "A"):digest() ~= before)
    spec.equal(before, black:digest())
    spec.equal({ 64, 64, 64 }, { black:blend(im.image.new(60, 40, { 255, 255, 255 }), 0.25):pixel(1, 1) })
    local map = black:heat_map(im.tensor.from_table { { 0, 1 } }, { opacity = 1, smooth = false, palette = "viridis" })
    spec.equal({ 68, 1, 84 }, { map:pixel(0, 0) })
    spec.raises("colour", function() black:draw_lines({}, { colour = { 1, 2, 300 } }) end)
  end)

  it("draws matches side by side", function()
    local a, b = im.image.new(200, 100), im.image.new(100, 100)
    local matches = { points_a = { { 50, 50.5 }, { 20, 20 } }, points_b = { { 60, 50.5 }, { 90, 90 } }, similarity = { 1, 0.2 } }
    local drawn = im.image.draw_matches(a, b, matches, { true, false }, { width = 306, legend = false })
    spec.equal({ 306, 100 }, { drawn:width(), drawn:height() })
    local red, green = drawn:pixel(150, 50)
    spec.truthy(red > 150 and green > 150, "the best match is yellow in viridis")
    local captioned = im.image.draw_matches(a, b, matches, nil, { width = 306, caption = ("long caption "):rep(20) })
    spec.truthy(captioned:height() > 110)
    spec.raises("equal lengths", im.image.draw_matches, a, b, { points_a = { { 1, 2 } } })
  end)

  it("reads the metadata of real photos", function()
    local data = spec.test_data()
    local photo = assert(im.image.metadata(data .. "/brighton_beach/DJI_0018.jpg"))
    spec.equal("DJI", photo.make)
    spec.truthy(photo.latitude_deg and photo.relative_altitude_m and photo.gimbal_yaw_deg and photo.flight_yaw_deg)
    spec.equal({ 1600, 900 }, { im.image.size(data .. "/brighton_beach/DJI_0018.jpg") })
  end)

  it("says when a picture is closed", function()
    local closed = picture()
    closed:close()
    spec.raises("closed", function() closed:width() end)
  end)
end)
