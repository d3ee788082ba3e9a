local spec = require "imatch.spec"
local conventions = require "imatch.backbone.conventions"
local images = require "imatch.match.images"
local weights = require "imatch.backbone.weights"

local function scratch()
  local path = os.tmpname()
  os.remove(path)
  return path
end

local function picture(path)
  assert(im.image.new(32, 24, { 90, 120, 60 }):save(path))
end

spec.describe("pairs", function(it)
  it("finds images by what their names say, and orders pairs", function()
    local folder = scratch()
    for _, name in ipairs { "A_300/A_300_0001.png", "A_300/A_300_0002.PNG", "A_400/A_400_0001.png", "A_400/other.png" } do
      picture(folder .. "/" .. name)
    end
    local found = assert(images.find(folder))
    spec.equal(3, #found)
    spec.equal("300.0002", found[2].name)
    spec.equal(6, #assert(images.ordered_pairs(found, {}, {})))
    spec.equal(2, #assert(images.ordered_pairs(found, { "300" }, { "400" })))
    spec.equal("400.0001", assert(images.ordered_pairs(found, { "300.0001" }, { "400.0001" }))[1].b.name)
    local none, message = images.ordered_pairs(found, { "500" }, {})
    spec.equal(nil, none)
    spec.truthy(message:find("-a 500 selects no image", 1, true) and message:find("300: 2 (0001, 0002)", 1, true))
    none, message = images.find(folder, [[nothing_(?P<alt>\d+)]])
    spec.equal(nil, none)
    spec.truthy(message:find("4 png", 1, true))
    for _, name in ipairs { "A_300/A_300_0001.png", "A_300/A_300_0002.PNG", "A_400/A_400_0001.png", "A_400/other.png" } do
      os.remove(folder .. "/" .. name)
    end
    os.remove(folder .. "/A_300")
    os.remove(folder .. "/A_400")
    os.remove(folder)
  end)

  it("knows the groups of published weights", function()
    spec.equal(4, #assert(weights.in_group "registers"))
    spec.equal(19 + 2, #assert(weights.in_group ""))
    for _, name in ipairs(assert(weights.in_group "")) do
      spec.truthy(im.backbone.published(name), name)
    end
    local none, message = weights.in_group "nowhere"
    spec.equal(nil, none)
    spec.truthy(message:find("03_ViT_SAT-493M", 1, true))
    spec.equal("dense_sift", assert(weights.resolve("dense_sift", nil, "any")).name)
    none, message = weights.resolve("vits14", "/nonexistent", "any")
    spec.equal(nil, none)
    spec.truthy(message)
  end)

  it("gives the networks of the replaced programs what those give them, and others what they are used to", function()
    spec.equal({ resize = "shorter_cut", interpolation = "bilinear", arithmetic = "float", global = "mean_prenorm" },
      conventions.of("vits16", "run"))
    spec.equal({ resize = "exact", interpolation = "bicubic", arithmetic = "float", global = "mean_prenorm" },
      conventions.of("cxTiny", "embed"))
    spec.equal("processor", conventions.of("vits14", "run2").resize)
    spec.equal("class", conventions.of("vits14", "run2").global)
    spec.equal({ resize = "shorter_cut" }, conventions.of("efficientnet_lite0", "run2"))
    spec.equal({ resize = "exact" }, conventions.of("dense_sift", "embed"))
    spec.equal(nil, conventions.other_global("vits16", "run", { global = "mean_prenorm" }))
    spec.equal("class", conventions.other_global("vits16", "run", { global = "class" }))
    spec.equal(nil, conventions.other_global("vits16", "run2", { global = "class" }))
    spec.equal(nil, conventions.other_global("efficientnet_lite0", "run", { global = "mean" }))
    spec.equal("gem", conventions.other_global("efficientnet_lite0", "run", { global = "gem" }))
  end)

  it("turns an image in search of its match", function()
    local world = im.render.world { seed = 3 }
    local a = world:pair({ altitude_m = 100, reference_altitude_m = 100, width = 160, height = 120 }).reference:image()
    local b = a:rotate(90)
    local features = im.backbone.features(a, "dense_sift", { image_size = 120 })
    local rotated = im.backbone.rotations(b, { 0, 90, 180, 270 }, "dense_sift", { image_size = 120 })
    spec.equal(270, rotated[4]:rotation_deg())
    local matches, found, geometry = im.match.rotation_search(features, rotated)
    spec.equal(270, found.rotation_deg)
    spec.equal(4, #found.scores)
    spec.equal(matches:idx_a(), matches:idx_b())
    spec.equal(matches:len(), geometry:num_inliers())
    for _, p in ipairs(matches:points()) do -- a quarter turn clockwise: (x, y) comes to lie at (height - y, x)
      spec.near(a:height() - p[2], p[3], 1e-6)
      spec.near(p[1], p[4], 1e-6)
    end
  end)
end)
