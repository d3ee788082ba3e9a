-- Seconds of one search in FOLDER (index.py makes it): `index.lua FOLDER flat|batch|hnsw`.
local im = require "imatch"

local folder, kind = ...
local TURNS = kind == "flat" and 60 or 7
local index = assert(im.index.load(("%s/%s.faiss"):format(folder, kind == "hnsw" and "hnsw" or "flat")))
local queries = assert(im.io.read_npy(("%s/%s.npy"):format(folder, kind == "flat" and "query" or "queries")))
if kind == "hnsw" then
  index:set_parameters "efSearch=64"
end
local times = {}
for turn = 0, TURNS do
  local start = im.now()
  local scores, ids = index:search(queries, { k = 10 })
  times[turn] = im.now() - start
  scores:close()
  ids:close()
end
table.sort(times) -- of the turns 1 to TURNS; turn 0 warms up
print(times[math.ceil(TURNS / 2)])
