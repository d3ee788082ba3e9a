-- embed.lua FOLDER [ARITHMETIC]: seconds an image of `imatch-lua embed` with efficientnet_lite0 over FOLDER (embed.py makes it),
-- without opening the network: decoding, resizing ("uint8" or "float"), one forward pass for all vectors, writing. Run with
-- --no-cache.
local im = require "imatch"
local embed = require "imatch.retrieval.embed"

local folder, arithmetic = ...
local plan = assert(im.retrieval.manifest(folder .. "/manifest.json", folder .. "/key.json", folder))
local out = os.tmpname()
os.remove(out)
local model = plan.models[1]
local counts = assert(embed.run(plan, model, model.weights[1], { embed_root = out, batch = 8, overwrite = true,
  set = { "arithmetic=" .. (arithmetic or "uint8") } }))
assert(counts.done == #model.images, "images failed")
os.execute(("rm -rf '%s'"):format(out))
io.stderr:write(("the network takes %.1f %% of the time\n"):format(100 * counts.forward_s / counts.wall_s))
print(counts.wall_s / counts.done)
