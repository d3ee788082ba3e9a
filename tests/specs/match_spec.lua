local spec = require "imatch.spec"

local IDENTITY = { 1, 0, 0, 0, 1, 0, 0, 0, 1 }

-- Features of `side` x `side` tokens over a picture of 16 px cells; `order` says which vector each token gets.
local function features(side, order)
  local tokens = {}
  for i = 1, side * side do
    local k = order and order(i) or i
    tokens[i] = { math.sin(k * k), math.cos(3 * k * k), math.sin(7 * k), math.cos(5 * k), math.sin(11 * k + 1) }
  end
  return im.features.from_tensors(
    im.tensor.from_table { 1 },
    im.tensor.from_table(tokens),
    { rows = side, cols = side, image_width = side * 16, image_height = side * 16 }
  )
end

spec.describe("match", function(it)
  it("finds each token of a picture in the same picture", function()
    local f = features(10)
    local matches = im.match.mutual_nearest(f, f, { keypoint_th = 0 })
    spec.equal(100, matches:len())
    spec.equal(100, #matches)
    spec.equal(matches:idx_a(), matches:idx_b())
    spec.near(1, matches:similarity()[100], 1e-5)
    for i, p in ipairs(matches:points()) do
      local token = matches:idx_a()[i]
      spec.equal({ (token % 10 + 0.5) * 16, (math.floor(token / 10) + 0.5) * 16 }, { p[3], p[4] })
    end
    spec.equal(16, matches:counts().cell_b_px)
    spec.equal({ rows = 10, cols = 10 }, matches:counts().grid_a)
    spec.equal(100, #matches:to_table().points_b)
    spec.truthy(tostring(matches):find "100 of 100 x 100 tokens")
  end)

  it("finds a rotated picture's geometry, and scores it", function()
    local a, b = features(12), features(12, function(i)
      return 145 - i
    end)
    local matches = im.match.mutual_nearest(a, b, { keypoint_th = 0, match_th = 0.99 })
    local half_turn = { -1, 0, 192, 0, -1, 192, 0, 0, 1 }
    for _, options in ipairs { {}, { method = "cv2_ransac" }, { model = "affine" }, { model = "similarity" } } do
      local geometry = im.match.geometry(matches, options)
      spec.truthy(geometry:num_inliers() >= 140)
      local h = geometry:homography()
      for k = 1, 9 do
        spec.near(half_turn[k], h[k], 1e-3, "element " .. k)
      end
      spec.equal(matches:len(), #geometry:inliers())
      spec.equal(geometry:num_inliers(), matches:inliers_of(geometry):len())
      spec.truthy(geometry:mean_reprojection_px() < 0.01)
      local scores = im.evaluate.homography(matches, geometry, half_turn)
      spec.near(0, scores.corner_error_px, 0.05)
      spec.truthy(scores.precision > 0.97)
      spec.equal(144, scores.num_possible)
    end
    local wrong = im.evaluate.homography(matches, IDENTITY, { cell_px = 1, mma_px = { 0.5 } })
    spec.truthy(wrong.precision < 0.1)
    spec.truthy(wrong.mma_0_5px == nil and wrong["mma_0.5px"] < 0.1)
    spec.truthy(wrong.corner_error_px > 100)
  end)

  it("gives a result without a model when there are too few matches", function()
    local f = features(4)
    local none = im.match.mutual_nearest(f, f):filter { max_matches = 3 }
    spec.equal(3, none:len())
    local geometry = im.match.geometry(none)
    spec.equal(nil, geometry:homography())
    spec.equal(nil, geometry:mean_reprojection_px())
    spec.equal(0, geometry:num_inliers())
    spec.truthy(tostring(geometry):find "no homography by usac_magsac")
    local scores = im.evaluate.homography(none, geometry, IDENTITY)
    spec.equal(false, scores.has_model)
    spec.near(math.sqrt(2) * 64, scores.corner_error_px, 1e-9)
  end)

  it("filters what was matched", function()
    local a, b = features(9), features(9, function(i)
      return i + 20
    end)
    local all = im.match.mutual_nearest(a, b, { keypoint_th = 0, match_th = -1, line_th = 0 })
    for _, th in ipairs { 0.1, 0.5, 0.9 } do
      local narrowed = all:filter { match_th = th }
      local direct = im.match.mutual_nearest(a, b, { keypoint_th = 0, match_th = th, line_th = 0 })
      spec.equal(direct:idx_a(), narrowed:idx_a())
      spec.equal(direct:idx_b(), narrowed:idx_b())
    end
  end)

  it("says what is wrong with its arguments", function()
    local f = features(3)
    spec.raises("did you mean 'match_th'", im.match.mutual_nearest, f, f, { match_thr = 1 })
    spec.raises("in [-1, 1]", im.match.mutual_nearest, f, f, { match_th = 2 })
    spec.raises("max_features", im.match.mutual_nearest, f, f, { max_features = 0 })
    spec.raises("Features", im.match.mutual_nearest, f, "f")
    local other = im.features.from_tensors(im.tensor.from_table { 1 }, im.tensor.from_table { { 1, 2 } }, { rows = 1, cols = 1 })
    spec.raises("5 dimensions, those of b 2", im.match.mutual_nearest, f, other)
    local matches = im.match.mutual_nearest(f, f)
    spec.raises("'usac_magsac'", im.match.geometry, matches, { method = "magsac" })
    spec.raises("not available for the model 'similarity'", im.match.geometry, matches,
      { model = "similarity", method = "usac_fast" })
    spec.raises("9 finite numbers", im.evaluate.homography, matches, { 1, 2, 3 })
    spec.raises("9 finite numbers", im.evaluate.homography, matches, { 1, 0, 0, 0, 1, 0, 0, 0, 0 / 0 })
    matches:close()
    spec.raises("closed", matches.len, matches)
  end)
end)

spec.describe("evaluate", function(it)
  it("integrates the share of errors below each threshold", function()
    spec.equal({ 1, 1, 1, 1 }, im.evaluate.auc { 0, 0 })
    spec.near(2 / 3, im.evaluate.auc({ 2 }, { 3 })[1], 1e-12)
    spec.near((2 * 0.25 + 8 * 0.5) / 10, im.evaluate.auc({ 2, math.huge }, { 10 })[1], 1e-12)
    spec.equal({ 0 }, im.evaluate.auc({}, { 1 }))
    spec.raises("-1 is not allowed", im.evaluate.auc, { -1 })
    spec.raises("a list of numbers", im.evaluate.auc, "1")
  end)
end)
