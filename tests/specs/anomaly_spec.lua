local spec = require "imatch.spec"

local inspection = require "imatch.anomaly.inspection"

--- What inspection.watch needs of a detector; it finds the region in no picture.
local function detector_of(seen)
  local detection = { close = function() end }
  local detector = {}
  function detector:detect(image)
    seen[#seen + 1] = image:width()
    function detection.to_table()
      return { found = false, correlation = 0.1 }
    end
    return detection
  end
  return detector
end

spec.describe("anomaly", function(it)
  it("knows the presets", function()
    spec.equal("kept", im.anomaly.preset("anomalib").start)
    spec.equal("dropped", im.anomaly.preset("anomalib-2.3").start)
    spec.equal("symmetric", im.anomaly.preset("patchcore").blur_border)
    spec.raises("padim", im.anomaly.preset, "padim")
  end)

  it("measures detection", function()
    local metrics = im.anomaly.image_metrics({ 1, 2, 3, 4 }, { false, true, false, true })
    spec.near(0.75, metrics.auroc, 1e-9)
    spec.equal(2, metrics.threshold)
    spec.equal(1, im.anomaly.image_metrics({ 1, 2 }, { false, true }, 2).true_positives)
    -- Wilson's interval of 1 of 2 (E. B. Wilson 1927): 0.0945 to 0.9055.
    spec.near(0.5, metrics.found.value + metrics.false_alarms.value - 1, 1e-9)
    spec.near(0.0945, metrics.false_alarms.low, 1e-4)
    spec.near(0.9055, metrics.false_alarms.high, 1e-4)
  end)

  it("says where a model is missing", function()
    local detector, message, code = im.anomaly.open "no_such_model"
    spec.equal(nil, detector)
    spec.truthy(message:find "no_such_model")
    spec.equal("not_found", code)
  end)

  it("inspects what comes into a folder once, and survives what is broken", function()
    local folder = spec.scratch()
    im.image.new(12, 8):save(folder .. "/in/a.png")
    assert(im.io.write_json(folder .. "/in/b.png", { "no picture" }))
    local seen = {}
    inspection.watch(detector_of(seen), folder .. "/in", folder .. "/out", {}, 4)
    spec.equal({ 12 }, seen)
    spec.equal("no region", im.io.read_json(folder .. "/out/a.png.json").status)
    spec.equal("unreadable", im.io.read_json(folder .. "/out/b.png.json").status)
  end)
end)
