local spec = require "imatch.spec"

--- A .npy file of uint8 whose first half is one value and whose second half another.
local function halves(path, half, first, second)
  local header = ("{'descr': '|u1', 'fortran_order': False, 'shape': (%d,), }"):format(2 * half)
  header = header .. (" "):rep(117 - #header) .. "\n"
  local file = assert(io.open(path, "wb"))
  file:write("\147NUMPY\1\0\118\0", header, (string.char(first)):rep(half), (string.char(second)):rep(half))
  file:close()
  return assert(im.io.read_npy(path))
end

spec.describe("tensor", function(it)
  it("takes the statistics of a large one part by part", function()
    local half = 2 ^ 24
    local t = halves(spec.scratch() .. "/large.npy", half, 1, 5)
    spec.equal({ 1, 5, 3 }, { t:min(), t:max(), t:mean() })
    spec.near(math.sqrt(26 * half), t:norm(), 1e-6)
    spec.equal(true, tostring(t):find("uint8 cpu, min 1 mean 3 max 5", 1, true) ~= nil)
    spec.equal(4, t:max_difference(halves(spec.scratch() .. "/other.npy", half, 1, 9)))
  end)

  it("tells a number that is none in whichever part", function()
    local t = im.tensor.from_table { 1, 0 / 0, 3 }
    local number = t:max_difference(im.tensor.from_table { 1, 1, 1 })
    spec.equal(true, number ~= number)
  end)
end)
