local spec = require "imatch.spec"

local function picture(width, height)
  return im.image.new(width, height)
end

-- OpenVINO's format: the mean of each 16 x 16 px.
local mean_of_patches = [[
<?xml version="1.0"?>
<net name="mean" version="11">
  <layers>
    <layer id="0" name="images" type="Parameter" version="opset1">
      <data shape="?,3,?,?" element_type="f32"/>
      <output><port id="0" precision="FP32"><dim>-1</dim><dim>3</dim><dim>-1</dim><dim>-1</dim></port></output>
    </layer>
    <layer id="1" name="pool" type="AvgPool" version="opset1">
      <data kernel="16,16" strides="16,16" pads_begin="0,0" pads_end="0,0" exclude-pad="true" rounding_type="floor"/>
      <input><port id="0"><dim>-1</dim><dim>3</dim><dim>-1</dim><dim>-1</dim></port></input>
      <output><port id="1" precision="FP32" names="mean"><dim>-1</dim><dim>3</dim><dim>-1</dim><dim>-1</dim></port></output>
    </layer>
    <layer id="2" name="result" type="Result" version="opset1">
      <input><port id="0"><dim>-1</dim><dim>3</dim><dim>-1</dim><dim>-1</dim></port></input>
    </layer>
  </layers>
  <edges>
    <edge from-layer="0" from-port="0" to-layer="1" to-port="0"/>
    <edge from-layer="1" from-port="1" to-layer="2" to-port="0"/>
  </edges>
</net>
]]

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
    spec.equal("dense_sift image_size=336 resize=shorter interpolation=bicubic arithmetic=uint8 step=8 bin_size=4 global=mean",
      a:spec())
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

  it("takes a network out of a file", function()
    local path = spec.scratch() .. "/mean.xml"
    local file = assert(io.open(path, "w"))
    file:write(mean_of_patches)
    file:close()
    local options = { file = path, layout = "nchw", resize = "keep", normalization = "half" }
    local backbone = im.backbone.open("onnx", options)
    local features = backbone:features(picture(64, 48))
    spec.equal("3 4 3", table.concat({ features:grid() }, " "))
    spec.equal(-1, features:tokens():min())
    spec.equal(-1, features:tokens():max())
    spec.equal(16, backbone:stride())
    spec.equal(backbone:spec(), im.backbone.open(backbone:spec()):spec())
    options.tokens = "men"
    spec.raises("no output 'men'; the outputs are 0 'mean' [?,3", im.backbone.open, "onnx", options)
    spec.fails("/nowhere/m.onnx", "not_found", im.backbone.open("onnx", { file = "/nowhere/m.onnx" }))
    spec.fails("/nowhere/m.pt", "not_found", im.backbone.open("torchscript", { file = "/nowhere/m.pt" }))
    spec.raises("file: expected", im.backbone.open, "torchscript")
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
