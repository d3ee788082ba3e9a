local spec = require "imatch.spec"
local photos = require "imatch.localize.photos"
local pictures = require "imatch.localize.pictures"

local BACKBONE, OPTIONS = "dense_sift", { image_size = 96, step = 8 }
local TILES = { width_m = 60, scales = { 1 }, heading_step_deg = 90, image_width = 192, image_height = 144 }

local function small_map()
  local world = im.render.world { seed = 3, size_m = 160 }
  return world, im.localize.reference_map(world, BACKBONE, OPTIONS, TILES)
end

local function photo_of(world, x_m, y_m, heading_deg)
  return world:view({ x_m = x_m, y_m = y_m, heading_deg = heading_deg, width = 192, height = 144, fov_deg = 60,
    altitude_m = im.geo.altitude_for_width_m(60, 60) }):image()
end

spec.describe("localize", function(it)
  it("finds a photo on a map, from pixels or from features", function()
    local world, map = small_map()
    local photo = photo_of(world, 11, -17, 184)
    local location = map:locate(photo, { min_inliers = 15 })
    spec.truthy(location.found)
    spec.near(11, location.x_m, 1)
    spec.near(-17, location.y_m, 1)
    spec.near(184, location.heading_deg, 2)
    spec.near(60, location.width_m, 2)
    spec.truthy(location.position_sigma_m > 0)
    local lat, lon = world:latlon_from_local(location.x_m, location.y_m)
    spec.near(lat, location.latitude_deg, 1e-9)
    spec.near(lon, location.longitude_deg, 1e-9)
    local again = map:locate(im.backbone.features(photo, BACKBONE, OPTIONS), { min_inliers = 15 })
    spec.equal(location.x_m, again.x_m) -- the same photo, the same prediction
    spec.equal(3, #map:retrieve(photo, 3))
    spec.truthy(map:num_tiles() > 3)
  end)

  it("says why it cannot", function()
    local world = im.render.world { seed = 3, size_m = 160 }
    spec.raises("width_m: missing", function() im.localize.reference_map(world, BACKBONE, OPTIONS, {}) end)
    spec.raises("did you mean 'overlap'", function()
      im.localize.reference_map(world, BACKBONE, OPTIONS, { width_m = 60, overlapp = 0.5 })
    end)
    local map, message, code = im.localize.reference_map(world, BACKBONE, OPTIONS,
      { width_m = 9000, scales = { 1 }, image_width = 192, image_height = 144 })
    spec.equal(nil, map)
    spec.equal("no_result", code)
    spec.truthy(message:find("covers no tile", 1, true))
    local _, small = small_map()
    spec.raises("must be Image", function() small:locate(im.tensor.from_table { 1 }) end)
  end)

  it("reads truth tables and refuses positions that are none", function()
    local path = os.tmpname()
    local function write(text)
      local file = assert(io.open(path, "w"))
      file:write(text)
      file:close()
    end
    write "file,latitude_deg,longitude_deg,heading_deg\na.jpg,41.5,-83.25,90\n"
    local truth = photos.read_truth(path)
    spec.equal(-83.25, truth["a.jpg"].longitude_deg)
    spec.equal(90, truth["a.jpg"].heading_deg)
    write "file,latitude_deg,longitude_deg\na.jpg,91,0\n"
    local none, message = photos.read_truth(path)
    spec.equal(nil, none)
    spec.truthy(message:find("row 1: latitude 91", 1, true))
    write "file,north,east\na.jpg,1,0\n"
    spec.truthy(select(2, photos.read_truth(path)):find("expected the columns", 1, true))
    os.remove(path)
  end)

  it("keeps the matches that the prediction was made from, and draws them", function()
    local world, map = small_map()
    local photo = photo_of(world, 11, -17, 184)
    local location = map:locate(photo, { min_inliers = 15 })
    local m = location.matches
    local num_inliers = 0
    local pose = im.homography.of_camera { x_m = location.x_m, y_m = location.y_m, heading_deg = location.heading_deg,
      fov_deg = 60, width = 192, height = 144, altitude_m = im.geo.altitude_for_width_m(location.width_m, 60) }
    for i, is_inlier in ipairs(m.inliers) do
      if is_inlier then
        num_inliers = num_inliers + 1
        -- Where the pose puts the pixel is where the match puts it, up to about a token (16 px of 60 m on 192 px).
        local x_m, y_m = im.homography.apply(pose, m.photo_px[i][1], m.photo_px[i][2])
        spec.truthy(math.abs(x_m - m.ground_m[i][1]) < 6 and math.abs(y_m - m.ground_m[i][2]) < 6)
      end
    end
    spec.equal(location.num_inliers, num_inliers)
    spec.equal(location.num_matches, #m.similarity)
    local picture = pictures.matches(world, photo, location)
    spec.equal(1600, picture:width())
  end)

  it("gives metrics over all queries, found or not", function()
    local rows = {
      { found = true, error_m = 0.5, heading_error_deg = 1, rank = 1, time_ms = 10 },
      { found = true, error_m = 8, heading_error_deg = 3, rank = 7, time_ms = 20 },
      { found = false, error_m = 40, rank = nil, time_ms = 30 },
      { found = false, time_ms = 40 },
    }
    local by_name = {}
    local scores = im.evaluate.predictions(rows, { radius_m = 25, wrong_m = 5, recall_k = { 1, 10 } })
    for _, metric in ipairs(scores.metrics) do
      by_name[metric.name] = metric.value
    end
    spec.equal(0.5, by_name.found_rate)
    spec.equal(1, by_name.false_positives)
    spec.equal(0.25, by_name["hit@5m"])
    spec.equal(0.5, by_name["hit@10m"])
    spec.equal(0.75, by_name["hit@50m"])
    spec.equal(8, by_name.top1_median_m)
    spec.equal(0.25, by_name["R@1_all"])
    spec.equal(0.5, by_name["R@10_all"])
    spec.equal(25, by_name.time_median_ms)
    spec.equal(0.25, scores.curves.hit[6])
  end)
end)
