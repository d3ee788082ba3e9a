-- A tour for newcomers: pictures, features, matches, a synthetic scene, a sweep. Each step stands alone; try the lines in the
-- interactive session (`imatch-lua` without arguments), where ?name explains everything used here.
--
--   imatch-lua experiments/first_steps.lua [FOLDER]      where to leave the pictures; default first_steps
local im = require "imatch"
local folder = ... or "first_steps"

print "1. A synthetic scene, seen by a drone from 80 m, and the same place rotated, tilted and noisy."
local world = im.render.world { seed = 7 }
local pair = world:pair { place = 1, altitude_m = 80, rotation_deg = 20, tilt_deg = 5, noise = 4 }
local query, reference = pair.query:image(), pair.reference:image()
assert(query:save(folder .. "/query.png"))
assert(reference:save(folder .. "/reference.png"))
print("  ", pair.query, ("a pixel is %.2f m of ground"):format(pair.query:gsd_m()))

print "\n2. A backbone turns a picture into a grid of tokens. The second call comes out of the cache."
local start = im.now()
local a = assert(im.backbone.features(query, "efficientnet_lite0", { stage = 16 }))
print(("   first call %.0f ms"):format(1000 * (im.now() - start)), a)
start = im.now()
local b = assert(im.backbone.features(reference, "efficientnet_lite0", { stage = 16 }))
assert(im.backbone.features(query, "efficientnet_lite0", { stage = 16 }))
print(("   the reference and the query again %.0f ms"):format(1000 * (im.now() - start)))
print("   a token lies at", im.inspect(a:points({ 0 }):to_table()[1]), "in pixels of the picture")

print "\n3. Mutual nearest neighbours, and the homography that most of them agree with."
local matches = im.match.mutual_nearest(a, b, { match_th = 0.3 })
local geometry = im.match.geometry(matches, { reproj_px = 8 })
print("  ", matches, geometry)

print "\n4. The truth is known, so the result can be judged."
local score = im.evaluate.homography(matches, geometry, pair.reference_from_query)
print(("   %.0f %% of the matches lie within a grid cell of the truth; corners are off by %.1f px"):format(
  100 * score.precision, score.corner_error_px))
local picture = im.image.draw_matches(query, reference, matches, geometry:inliers(), { caption = "inliers by similarity" })
assert(picture:save(folder .. "/matches.png"))
print("   drawn in " .. folder .. "/matches.png")

print "\n5. A sweep measures every combination once; run this script again and nothing is measured again."
local result = im.sweep {
  name = "first_steps",
  out = folder .. "/runs",
  axes = { rotation_deg = im.range(0, 90, 30), match_th = { 0.3, 0.5, 0.7 } },
  setup = function()
    return im.render.world { seed = 7 }
  end,
  measure = function(p, _, ground)
    local rotated = ground:pair { place = 1, altitude_m = 80, rotation_deg = p.rotation_deg }
    local f = im.backbone.features({ rotated.query:image(), rotated.reference:image() }, "efficientnet_lite0")
    local m = im.match.mutual_nearest(f[1], f[2], { match_th = p.match_th })
    local s = im.evaluate.homography(m, rotated.reference_from_query)
    return { num_matches = s.num_matches, precision = s.precision, corner_error_px = s.corner_error_px }
  end,
  best = { metric = "precision", direction = "max", over = { "rotation_deg" } },
}

print "\n6. Failures that can be expected come back as nil and a message; mistakes are errors that name what is allowed."
print("  ", im.image.open "no such photo.jpg")
print("  ", select(2, pcall(im.match.mutual_nearest, a, b, { match_thr = 0.3 })))
return result
