-- What --device chooses, a GPU where there is one, computes what the CPU does. Rounding is all that may differ.
local spec = require "imatch.spec"

local function rotated_pair()
  local a = assert(im.image.open "docs/a.jpg")
  return { a, (a:rotate(90)) }
end

local function features_on(device, options)
  options.device = device
  return im.backbone.features(rotated_pair(), "efficientnet_lite0", options)
end

-- Mean cosine of the tokens of two features of one picture.
local function mean_cosine(a, b)
  local matches = im.match.mutual_nearest(a, b, { keypoint_th = 0, max_features = 100000 })
  local same, sum = 0, 0
  for i = 1, #matches do
    if matches:idx_a()[i] == matches:idx_b()[i] then
      same, sum = same + 1, sum + matches:similarity()[i]
    end
  end
  return sum / same, same / matches:counts().n_selected_a
end

spec.describe("device", function(it)
  it("says what networks run on, and how", function()
    local used = im.gpu()
    spec.truthy(used.device == "cpu" or used.device:find "^cuda:%d+$")
    spec.equal(used.device ~= "cpu", im.version().GPU ~= "none" and im.settings().device ~= "cpu")
    spec.truthy(#used.kernels > 0)
    if used.device == "cpu" then
      spec.equal({ false, false, "cpu", "" }, { used.has_kernels, used.records, used.name, used.recording_problem })
    end
  end)

  it("is looked at by doctor with a network that runs, and leaves nothing in the cache", function()
    local before, checks = im.cache.settings(), require "imatch.doctor.checks"
    im.cache.configure { folder = spec.scratch(), enabled = true }
    for _ = 1, 2 do
      spec.equal("ok", checks.network().status)
      checks.gpu()
    end
    local seen = im.cache.statistics()
    spec.equal({ 0, 0, true }, { seen.stored, seen.memory_hits + seen.disk_hits, im.cache.settings().enabled })
    im.cache.configure(before)
  end)

  it("computes the features of the CPU, in float32 and in bf16", function()
    local caching = im.settings().cache
    im.configure { cache = false } -- features are cached without their device
    for dtype, least in pairs { fp32 = 0.9999, bf16 = 0.98 } do
      local options = { stage = 16, image_size = 224, dtype = dtype }
      local exact, there = features_on("cpu", options), features_on("auto", options)
      for i = 1, 2 do
        local cosine, share = mean_cosine(exact[i], there[i])
        spec.truthy(cosine >= least and share > 0.95, ("%s: mean cosine %.5f, %.3f the same"):format(dtype, cosine, share))
      end
    end
    im.configure { cache = caching }
  end)

  it("repeats forward passes with the same result", function()
    local caching = im.settings().cache
    im.configure { cache = false }
    local options = { stage = 16, image_size = 224, batch_size = 1 }
    local first = features_on("auto", options)
    for _ = 1, 4 do -- from the third on a GPU repeats a recorded one
      local again = features_on("auto", options)
      for i = 1, 2 do
        local cosine, share = mean_cosine(first[i], again[i])
        spec.near(1, cosine, 1e-4)
        spec.truthy(share > 0.99)
      end
    end
    im.configure { cache = caching }
  end)
end)
