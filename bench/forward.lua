-- Seconds an image that EfficientNet-Lite0 takes up to stage 32, from 8-bit pixels of the working size: forward.lua [DTYPE].
-- Run with --no-cache.
local im = require "imatch"

local BATCH, TURNS = 16, 5

local images = {}
for i = 1, BATCH do
  images[i] = im.image.new(448, 336, { 10 * i, 255 - 10 * i, 120 })
end
local backbone = assert(im.backbone.open("efficientnet_lite0", { stage = 32, image_size = 336, dtype = arg[1] or "fp32" }))

local times = {}
for turn = 0, TURNS do
  local start = im.now()
  local features = assert(backbone:features(images))
  times[turn] = im.now() - start
  local rows, cols = features[BATCH]:grid()
  assert(rows == 11 and cols == 14, "expected a grid of 11 x 14")
end
table.sort(times) -- of the turns 1 to 5; turn 0 warms up
print(times[math.ceil(TURNS / 2)] / BATCH)
