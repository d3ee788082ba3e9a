-- Which backbone, layer and facet matches overlapping photographs best, and at which threshold?
--
--   imatch-lua experiments/sweep_backbones.lua [--weights-root DIR] [--photos DIR]
--
-- Every published backbone whose weights lie below the weights root takes part, with the ones that need none; what is absent
-- is noted and left out. Each photograph is matched with one that is the same but for a known change of view, so that the truth
-- is known exactly: of --photos a quarter of each is cut away, rotated and made smaller; without photographs two views of a
-- synthetic scene are matched.
local im = require "imatch"
local weights = require "imatch.backbone.weights"

local parser = im.arguments("sweep_backbones.lua", "Backbones x layers x facets x thresholds over a folder of weights.")
parser:option("--weights-root", "folder of the weights, searched with those below it (WEIGHTS_ROOT, WEIGHTS_HOST)")
parser:option("--photos", "folder of photographs; a synthetic scene unless given")
parser:option("--places", "photographs or views, spread evenly"):default("3"):convert(tonumber)
parser:option("--image-size", "side in pixels to which images are resized"):default("336"):convert(tonumber)
parser:option("--rotation", "of the second view in degrees, clockwise"):default("15"):convert(tonumber)
parser:option("--out", "folder of the run folders"):default "runs"
local args = parser:parse { ... }

-- A setting is a backbone with its layer and facet: { label = { name, options } }.
local settings, labels, sha256 = {}, {}, {}
local function add(label, name, options)
  options.image_size = args.image_size
  labels[#labels + 1] = label
  settings[label] = { name = name, options = options }
end

add("dense_sift", "dense_sift", { step = 16 })
for _, stage in ipairs { 8, 16, 32 } do
  add("efficientnet_lite0 stage " .. stage, "efficientnet_lite0", { stage = stage })
end
local root = weights.root(args.weights_root)
for _, name in ipairs(weights.in_group "") do
  local weight, message = weights.resolve(name, root, "any")
  local backbone
  if weight then -- a model cut short, or of another architecture, is absent too
    backbone, message = im.backbone.open(name, { weights = weight.path, image_size = args.image_size })
  end
  if backbone then
    sha256[name] = backbone:weights_sha256()
    for _, layer in ipairs(name:find "^cx" and { -2, -1 } or { -4, -1 }) do
      for _, facet in ipairs(name:find "^cx" and { "token" } or { "token", "key" }) do
        add(("%s layer %d %s"):format(name, layer, facet), name, { weights = weight.path, layer = layer, facet = facet })
      end
    end
    backbone:close()
    im.backbone.close_all()
  else
    io.stderr:write("skipped: ", message, "\n")
  end
end

-- A photograph, and the part of it that remains when it is cut, rotated and made smaller, with the map between the two.
local function second_view(photo)
  local width, height = photo:width(), photo:height()
  local x, y = math.floor(width / 8), math.floor(height / 8)
  local cut = photo:crop(x, y, width - 2 * x, height - 2 * y)
  local rotated, rotated_from_cut = cut:rotate(args.rotation)
  local small, rotated_from_small = rotated:resize { mode = "longer", size = math.floor(0.8 * math.max(width, height)) }
  local function square(m)
    return { m[1], m[2], m[3], m[4], m[5], m[6], 0, 0, 1 }
  end
  local small_from_rotated = im.homography.inverse(square(rotated_from_small))
  local rotated_from_photo = im.homography.compose(square(rotated_from_cut), { 1, 0, -x, 0, 1, -y, 0, 0, 1 })
  return small, im.homography.compose(small_from_rotated, rotated_from_photo)
end

local inputs, places = { sha256 = sha256, rotation = args.rotation }, im.range(0, args.places - 1)
local files = {}
if args.photos then
  local names = assert(im.file.list(args.photos, { extensions = im.image.extensions() }))
  if #names == 0 then
    parser:error("--photos " .. args.photos .. ": no pictures")
  end
  places = {}
  for i = 1, math.min(args.places, #names) do
    places[i] = names[math.floor((i - 0.5) * #names / math.min(args.places, #names)) + 1]
    files[places[i]] = args.photos .. "/" .. places[i]
    inputs[places[i]] = files[places[i]]
  end
end

local function pair_maker()
  local world = not args.photos and im.render.world { seed = 7 }
  return im.memoize(function(place)
    if args.photos then
      local photo = assert(im.image.open(files[place]))
      return photo, second_view(photo)
    end
    local pair = world:pair {
      place = place, altitude_m = 120, reference_altitude_m = 120, rotation_deg = args.rotation, tilt_deg = 5, blur_px = 0.7,
      contrast = 0.9, brightness = 10, noise = 5, seed = place,
    }
    return pair.query:image(), pair.reference:image(), pair.reference_from_query
  end, 2)
end

local function match(p, pair_of)
  local setting = settings[p.setting]
  local a, b, b_from_a = pair_of(p.place)
  local features = assert(im.backbone.features({ a, b }, setting.name, setting.options))
  local matches = im.match.mutual_nearest(features[1], features[2], { match_th = p.match_th, line_th = 0, max_features = 2000 })
  -- On the lattice of token centres the plain RANSAC is the steadiest.
  local geometry = im.match.geometry(matches, { method = "cv2_ransac", reproj_px = matches:counts().cell_b_px / 2 })
  return matches, geometry, b_from_a, a, b
end

return im.sweep {
  name = args.photos and "backbones-photos" or "backbones",
  out = args.out,
  axes = { setting = labels, place = places, match_th = { 0.1, 0.3, 0.5, 0.7, 0.9 } },
  order = { "setting", "place", "match_th" },
  inputs = inputs,
  setup = pair_maker,
  measure = function(p, _, pair_of)
    local start = im.now()
    local matches, geometry, b_from_a = match(p, pair_of)
    local score = im.evaluate.homography(matches, geometry, b_from_a)
    return {
      num_matches = score.num_matches, num_inliers = score.num_inliers, precision = score.precision,
      corner_error_px = score.corner_error_px, time_ms = 1000 * (im.now() - start),
    }
  end,
  picture = function(p, cell, pair_of)
    local matches, geometry, _, a, b = match(p, pair_of)
    cell:save_image("matches", im.image.draw_matches(a, b, matches, geometry:inliers(), {
      caption = ("%s, match_th %g: %d of %d matches agree"):format(p.setting, p.match_th, geometry:num_inliers(), matches:len()),
    }))
  end,
  best = { metric = "corner_error_px", direction = "min", over = { "place" } },
  report = { metric = "precision", line_x = "match_th", line_color = "setting", heat_x = "match_th", heat_y = "setting" },
}
