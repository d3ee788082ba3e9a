local spec = require "imatch.spec"

local function picture(width, height)
  return im.image.new(width, height)
end

spec.describe("backbone", function(it)
  it("lists and describes every kind", function()
    local names = im.backbone.list()
    spec.truthy(#names > 20, "number of backbones")
    for _, name in ipairs(names) do
      local kind = im.backbone.describe(name)
      spec.equal(name, kind.name)
      spec.truthy(#kind.options > 3)
      spec.truthy(#kind.options[1].doc > 0)
    end
  end)

  it("opens by name, by specification and by options", function()
    local a = im.backbone.open "dense_sift"
    spec.equal("dense_sift image_size=336 resize=shorter step=8 bin_size=4 global=mean", a:spec())
    spec.equal(a:spec(), im.backbone.open(a:spec()):spec())
    spec.equal(16, im.backbone.open("dense_sift", { step = 16 }):stride())
    spec.equal("", a:weights_sha256())
    spec.equal("Backbone(" .. a:spec() .. ")", tostring(a))
  end)

  it("gives one Features for an image and a list for a list", function()
    local backbone = im.backbone.open "dense_sift image_size=64"
    local one = backbone:features(picture(64, 96))
    local rows, cols, dimensions = one:grid()
    spec.equal(12, rows)
    spec.equal(8, cols)
    spec.equal(128, dimensions)
    local list = im.backbone.features({ picture(64, 64), picture(64, 96) }, "dense_sift", { image_size = 64 })
    spec.equal(2, #list)
    spec.equal(one:key(), list[2]:key())
    spec.equal(0, #backbone:features {})
  end)

  it("runs the network with its weights", function()
    local backbone = im.backbone.open("efficientnet_lite0", { image_size = 64, stage = 32 })
    spec.equal(64, #backbone:weights_sha256())
    local rows, cols, dimensions = backbone:features(picture(64, 64)):grid()
    spec.equal("2 2 320", table.concat({ rows, cols, dimensions }, " "))
  end)

  it("says what is wrong", function()
    spec.raises("did you mean 'dense_sift'", im.backbone.open, "dense_sitf")
    spec.raises("'step'", im.backbone.open, "dense_sift", { setp = 4 })
    spec.raises("an Image or a list", im.backbone.features, 12, "dense_sift")
    spec.raises("dtype", im.backbone.check, picture(8, 8), "dense_sift")
    local closed = im.backbone.open "dense_sift step=32"
    closed:close()
    spec.raises("closed", closed.spec, closed)
    spec.fails("/nowhere/w.pth", "not_found", im.backbone.open("efficientnet_lite0", { weights = "/nowhere/w.pth" }))
    spec.fails("1 x 60000", "too_large", im.backbone.features(picture(1, 60000), "dense_sift"))
  end)
end)
