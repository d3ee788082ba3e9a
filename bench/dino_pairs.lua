-- dino_pairs.lua WEIGHTS OUT THRESHOLDS IMAGE...: every ordered pair of the images matched at so many thresholds, a JSON file a
-- pair and threshold, resized as `run` does. Prints how many files it wrote. Run with --no-cache.
local conventions = require "imatch.backbone.conventions"
local im = require "imatch"

local weights, out, thresholds = arg[1], arg[2], tonumber(arg[3])
local images = {}
for i = 4, #arg do
  images[#images + 1] = assert(im.image.open(arg[i]))
end
local options = conventions.of("vits14", "run")
options.weights, options.image_size = weights, 336
local features = assert(im.backbone.features(images, "vits14", options))

local written = 0
for t = 1, thresholds do
  for i = 1, #features do
    for j = 1, #features do
      if i ~= j then
        local matches = im.match.mutual_nearest(features[i], features[j], { match_th = 0.1 * t })
        assert(im.io.write_json(("%s/%d/%d_%d.json"):format(out, t, i, j),
          { idx_a = matches:idx_a(), idx_b = matches:idx_b(), similarities = matches:similarity() }))
        written = written + 1
      end
    end
  end
end
print(written)
