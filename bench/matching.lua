-- Seconds of one mutual-nearest-neighbour matching of all tokens in FOLDER/a.npy and b.npy (matching.py makes them).
-- The features have no key, so that nothing is remembered from one turn to the next.
local im = require "imatch"

local TURNS = 15
local folder = ...

local function features(name)
  local tokens = assert(im.io.read_npy(folder .. "/" .. name))
  return im.features.from_tensors(im.tensor.from_table { 1 }, tokens, { rows = 48, cols = 48 })
end

local a, b = features "a.npy", features "b.npy"
local times = {}
for turn = 0, TURNS do
  local start = im.now()
  local matches = im.match.mutual_nearest(a, b, { max_features = 2304, keypoint_th = 0, match_th = -1, line_th = 0 })
  times[turn] = im.now() - start
  assert(matches:counts().n_selected_a == 2304)
end
table.sort(times) -- of the turns 1 to 15; turn 0 warms up
print(times[math.ceil(TURNS / 2)])
