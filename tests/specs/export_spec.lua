local spec = require "imatch.spec"

local function features()
  local tokens = im.tensor.from_table { { { 1, 0, 0 }, { 0, 1, 0 } }, { { 0, 0, 1 }, { 1, 1, 0 } } }
  return im.features.from_tensors(im.tensor.from_table { 1 }, tokens, { image_width = 64, image_height = 64 })
end

spec.describe("export", function(it)
  it("takes a pair once, in whichever order", function()
    local set, matches = im.export.new(), im.match.mutual_nearest(features(), features(), { keypoint_th = 0 })
    set:add_image("a.jpg", features())
    set:add_image("b.jpg", features())
    spec.equal(true, set:add_pair("a.jpg", "b.jpg", matches, im.match.geometry(matches)))
    spec.equal(false, set:add_pair("b.jpg", "a.jpg", matches))
    local counts = set:counts()
    spec.equal(2, counts.images)
    spec.equal(8, counts.keypoints)
    spec.equal(1, counts.pairs)
    spec.equal(#matches, counts.matches)
  end)

  it("gathers the keypoints of images without features from their pairs", function()
    local set, matches = im.export.new(), im.match.mutual_nearest(features(), features(), { match_th = 0.99 })
    for _, name in ipairs { "a.jpg", "b.jpg", "c.jpg" } do
      set:add_image(name, 64, 64)
    end
    set:add_pair("a.jpg", "b.jpg", matches)
    set:add_pair("c.jpg", "a.jpg", matches)
    spec.equal(3 * #matches, set:counts().keypoints)
  end)

  it("refuses what does not belong together", function()
    local set, matches = im.export.new(), im.match.mutual_nearest(features(), features(), { keypoint_th = 0 })
    set:add_image("a.jpg", features())
    set:add_image("b.jpg", features())
    set:add_image("wide.jpg", 65, 64)
    spec.raises("there is an image 'a.jpg' already", set.add_image, set, "a.jpg", 64, 64)
    spec.raises("needs a name", set.add_image, set, "", 64, 64)
    spec.raises("no image 'c.jpg'", set.add_pair, set, "a.jpg", "c.jpg", matches)
    spec.raises("matched with itself", set.add_pair, set, "a.jpg", "a.jpg", matches)
    spec.raises("'wide.jpg' has 65 x 64 px", set.add_pair, set, "a.jpg", "wide.jpg", matches)
    local elsewhere = im.match.mutual_nearest(features(), features(), { keypoint_th = 0 }):filter { max_matches = 2 }
    spec.raises("the geometry is of", set.add_pair, set, "a.jpg", "b.jpg", elsewhere, im.match.geometry(matches))
  end)

  it("fails where it cannot write", function()
    local set = im.export.new()
    set:add_image("a.jpg", features())
    spec.fails("/dev/null", "unwritable", set:write_colmap "/dev/null/x.db")
    spec.fails("/dev/null", "unwritable", set:write_hloc "/dev/null/x")
  end)
end)
