-- Seconds an image that a DINOv2 network takes, from 8-bit pixels of 336 x 336: dino.lua FOLDER ALIAS BATCH [DTYPE], with the
-- weights that dino.py made. Run with --no-cache.
local im = require "imatch"

local SIDE, TURNS = 336, 5
local folder, alias, batch, dtype = arg[1], arg[2], tonumber(arg[3]), arg[4] or "fp32"

local images = {}
for i = 1, batch do
  images[i] = im.image.new(SIDE, SIDE, { 20 * i, 255 - 20 * i, 120 })
end
local backbone = assert(im.backbone.open(alias,
  { weights = folder .. "/" .. alias, image_size = SIDE, batch_size = batch, dtype = dtype }))

local times = {}
for turn = 0, TURNS do
  local start = im.now()
  local features = assert(backbone:features(images))
  times[turn] = im.now() - start
  local rows, cols = features[batch]:grid()
  assert(rows == 24 and cols == 24, "expected a grid of 24 x 24")
end
table.sort(times) -- of the turns 1 to 5; turn 0 warms up
print(times[math.ceil(TURNS / 2)] / batch)
