-- How much of the normal patches PatchCore has to keep: accuracy, size and latency by coreset ratio, backbone and layers, on
-- a folder in MVTec AD's layout (train/good, test/KIND).
--
--   imatch-lua experiments/patchcore_ratio.lua --data-dir bottle [--backbones efficientnet_lite0,wide_resnet50_2]
local cli = require "imatch.cli"
local im = require "imatch"

local parser = cli.parser("patchcore_ratio.lua", "Coreset ratio x backbone x layers: accuracy, size and latency.")
parser:option("--data-dir", "folder with train/good and test/KIND"):count(1)
parser:option("--backbones", "names with commas between them"):default "efficientnet_lite0,efficientnet_lite1":convert(cli.names)
parser:option("--ratios", "numbers with commas between them"):default "0.001,0.01,0.1":convert(cli.numbers)
parser:option("--out", "folder of the run folders"):default "runs"
local args = parser:parse(arg)

local FIRST, BOTH = "finer", "both"

--- The layers that stand for a word on the axis, by family of networks.
local function layers_of(backbone, which)
  if backbone:match "resnet" then
    return which == FIRST and { "layer2" } or { "layer2", "layer3" }
  elseif backbone:match "efficientnet" then
    return which == FIRST and { "8" } or { "8", "16" }
  end
  return {}
end

return im.sweep {
  name = "patchcore_ratio", out = args.out, inputs = { args.data_dir },
  title = "PatchCore: what a smaller memory bank costs",
  axes = { backbone = args.backbones, layers = { FIRST, BOTH }, coreset_ratio = args.ratios },
  best = { metric = "image_auroc" },
  measure = function(p)
    local model = os.tmpname()
    os.remove(model)
    local trained = assert(im.anomaly.train(args.data_dir, model, { pattern_name = "model", coreset_ratio = p.coreset_ratio,
      backbone = p.backbone, layers = layers_of(p.backbone, p.layers) }))
    local detector = assert(im.anomaly.open(model, { engine = "libtorch" }))
    local scores, truths, times = {}, {}, {}
    for i, sample in ipairs(assert(im.anomaly.data(args.data_dir)).test) do
      local image = assert(im.image.open(sample.path))
      local began = im.now()
      scores[i] = detector:detect(image):to_table().score
      times[i], truths[i] = (im.now() - began) * 1000, sample.anomalous
    end
    table.sort(times)
    local metrics = im.anomaly.image_metrics(scores, truths)
    return { image_auroc = metrics.auroc, best_f1 = metrics.best_f1, rows = trained.bank_rows,
      size_mb = trained.bank_rows * trained.bank_dims * 2 / 1e6, latency_ms = times[math.ceil(#times / 2)] }
  end,
}
