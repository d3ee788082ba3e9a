-- inspect.lua FOLDER graph|picture: seconds for a picture of 224 px by an exported PatchCore model on two threads, of its graph
-- alone or from pixels to score, scaled map and blobs: efficientnet_lite0, 1 % of the patches of the pictures in FOLDER/data
-- (inspect_loop.py makes them). Trains it where it is not there.
local im = require "imatch"

local folder, what = ...
local data, model = folder .. "/data", folder .. "/model"
if not im.file.exists(model .. "/parity.json") then
  assert(im.anomaly.train(data, model, { pattern_name = "model", coreset_ratio = 0.01 }))
  assert(im.anomaly.export(model, data))
end
local detector = assert(im.anomaly.open(model, { engine = "openvino", threads = 2 }))
local image = assert(im.image.open(data .. "/000.png"))
local times = {}
for i = -20, 200 do
  local start = im.now()
  local detection = detector:detect(image)
  times[math.max(i, 1)] = what == "graph" and detection:inference_ms() / 1000 or im.now() - start
  detection:close()
end
table.sort(times)
print(times[math.ceil(#times / 10)]) -- what else the machine does lengthens single calls
