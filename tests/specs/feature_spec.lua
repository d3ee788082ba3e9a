local spec = require "imatch.spec"

-- Token (r, c) is { r, c }; a picture of 40 x 20 px.
local function features(rows, cols)
  local tokens = {}
  for r = 0, rows - 1 do
    for c = 0, cols - 1 do
      tokens[#tokens + 1] = { r, c }
    end
  end
  return im.features.from_tensors(im.tensor.from_table { 3, 4 }, im.tensor.from_table(tokens), {
    rows = rows, cols = cols, image_width = 40, image_height = 20, backbone = "test",
  })
end

spec.describe("features", function(it)
  it("tell their grid, vectors and places", function()
    local f = features(2, 4)
    spec.equal({ 2, 4, 2 }, { f:grid() })
    spec.equal({ 40, 20 }, { f:image_size() })
    spec.equal({ 8, 2 }, f:tokens():shape())
    spec.equal({ 3, 4 }, f:global():to_table())
    spec.equal({ 5, 5 }, f:points():select(0):to_table())
    spec.equal({ { 35, 15 }, { 15, 5 } }, f:points({ 7, 1 }):to_table())
    spec.equal("test", f:backbone())
    spec.equal("", f:key())
    spec.equal("Features(2x4x2 of 40x20 px, test)", tostring(f))
    spec.raises("token 8 is not in [0, 7]", f.points, f, { 8 })
    spec.raises("0-based token indices", f.points, f, { 0.5 })
  end)

  it("have variants at the same places", function()
    local sub = features(3, 5):variant "sub2"
    spec.equal({ 2, 3, 2 }, { sub:grid() })
    spec.equal({ { 0, 0 }, { 0, 2 }, { 0, 4 }, { 2, 0 }, { 2, 2 }, { 2, 4 } }, sub:tokens():to_table())
    spec.equal(features(3, 5):points({ 4, 10 }):to_table(), sub:points({ 2, 3 }):to_table())
    spec.raises("variant 'sub': expected 'raw' or 'sub<stride>'", sub.variant, sub, "sub")
    spec.near(0.6, sub:normalized():global():get(0), 1e-7)
  end)

  it("are saved and opened", function()
    local path = spec.scratch() .. "/a.features"
    spec.equal(true, features(2, 3):save(path))
    local back = im.features.open(path)
    spec.equal(0, features(2, 3):tokens():max_difference(back:tokens()))
    spec.equal(tostring(features(2, 3)), tostring(back))
    local file = assert(io.open(path, "r+b"))
    file:seek("end", -1)
    file:write "?"
    file:close()
    spec.fails("the checksum is wrong", "bad_format", im.features.open(path))
  end)

  it("refuse vectors that do not go together, closed and foreign objects", function()
    local tokens = im.tensor.from_table { { 1, 2 } }
    spec.raises("expected [rows * cols, D]", im.features.from_tensors, tokens:select(0), tokens, { rows = 2, cols = 2 })
    spec.raises("did you mean 'rows'", im.features.from_tensors, tokens:select(0), tokens, { row = 1 })
    local f = features(1, 1)
    f:close()
    spec.raises("Features is closed", f.grid, f)
    spec.raises("Features", f.grid, io.stdout)
  end)
end)

spec.describe("cache", function(it)
  it("is configured and counts", function()
    local before = im.cache.settings()
    local folder = spec.scratch()
    im.cache.configure { folder = folder, memory_mb = 1 }
    spec.equal(folder, im.cache.settings().folder)
    spec.equal(1, im.cache.settings().memory_mb)
    spec.equal(before.max_mb, im.cache.settings().max_mb)
    spec.equal(0, im.cache.statistics().misses)
    spec.equal(0, im.cache.clear())
    spec.raises("unknown option 'max_gb'", im.cache.configure, { max_gb = 1 })
    spec.raises("max_mb: expected a number >= 0", im.cache.configure, { max_mb = -1 })
    im.cache.configure(before)
  end)
end)
