-- Homographies between all pairs of the photographs named. Prints how many pairs have one. Run with --no-cache.
local im = require "imatch"

local images = {}
for i, path in ipairs { ... } do
  images[i] = assert(im.image.open(path))
end
local features = assert(im.backbone.features(images, "efficientnet_lite0", { stage = 16, image_size = 336 }))

local num_found = 0
for i = 1, #features do
  for j = i + 1, #features do
    local matches = im.match.mutual_nearest(features[i], features[j], { match_th = 0.3 })
    local geometry = im.match.geometry(matches)
    num_found = num_found + (geometry:homography() and 1 or 0)
  end
end
print(num_found)
