-- imatch-lua patchcore train | extend | export | infer | evaluate: PatchCore from normal pictures to an inspected line.
local cli = require "imatch.cli"
local work = require "imatch.anomaly.work"

local parser = cli.command("patchcore", "Learns what normal pictures look like, and finds what does not.")
parser:command_target "action"
parser:require_command(true)

local function numbers(option, count)
  return option:args(count):convert(tonumber)
end

local function data_options(command)
  command:option("--layout", "of the data folder"):default "auto":choices { "auto", "flat", "good", "mvtec", "folder" }
  command:option("--normal-dir", "for 'folder', below the data folder")
  command:option("--abnormal-dir", "for 'folder', likewise")
  command:option("--mask-dir", "for 'folder', likewise")
end

local function export_options(command)
  command:option("--export-layout", "raw: what the inspection program loads; anomalib: also what its OpenVINOInferencer loads")
    :default "raw":choices { "raw", "anomalib" }
  command:flag("--preprocess-inside", "resizing and normalisation are part of the graph")
end

local train = parser:command("train", "Trains on normal pictures, exports and compares both.")
train:option("--data-dir", "folder of pictures: flat, with good/, MVTec AD's or Folder's layout"):count(1)
train:option("--output", "folder of the model folders"):default "weights"
train:option("--pattern-name", "name of the model and its folder (default: the data folder's)")
train:option("--coreset-ratio", "share of the patches that is kept"):default "0.001":convert(cli.number(0, 1))
train:flag("--use-faiss", "score by FAISS; the memory bank is the same"):action "store_true"
train:flag("--no-use-faiss", "score by LibTorch (the default)"):target "use_faiss":action "store_false"
train:option("--backbone", "name, or name and options"):default "efficientnet_lite0"
train:option("--layers", "its layers, for example layer2 layer3 or 8 16"):args "+":default {}
numbers(train:option("--image-size", "height and width of the network's input, px"), 2):default { 224, 224 }
train:option("--batch-size", "pictures that go forward together"):default "32":convert(cli.integer(1, 4096))
train:option("--num-neighbors", "rows that weigh the score, or are averaged (default: the preset's)"):convert(cli.integer(1))
train:option("--preset", "whose numbers: anomalib, anomalib-2.3 or patchcore"):default "anomalib"
  :choices { "anomalib", "anomalib-2.3", "patchcore" }
train:option("--set", "another option of the method, NAME=VALUE; see im.anomaly.preset"):count "*":argname "NAME=VALUE"
train:option("--memory-mb", "room for patches, 10^6 bytes; more are sampled"):default "0":convert(cli.number(0))
train:option("--held-out", "share of the pictures kept for the thresholds"):default "0.1":convert(cli.number(0, 0.9))
train:option("--threshold", "auto, f1, quantile, extreme_value or a number"):default "auto"
train:flag("--roi", "choose the region: in a window where a display is, else in the terminal")
numbers(train:option("--roi-rect", "x y width height of the region in the first picture, px"), 4)
train:option("--roi-threshold", "least correlation with the region"):default "0.5":convert(cli.number(-1, 1))
train:option("--tile", "side of the squares in which pictures go through the network, px"):default "0":convert(cli.integer(0))
train:option("--overlap", "of these squares"):default "0.25":convert(cli.number(0, 0.9))
train:flag("--no-export", "train only")
data_options(train)
export_options(train)

local extend = parser:command("extend", "Adds normal pictures to a model and exports it again.")
extend:argument("model", "its folder")
extend:option("--data-dir", "folder of the new pictures"):count(1)
extend:option("--coreset-ratio", "share of the new patches (default: as trained)"):default "0":convert(cli.number(0, 1))
extend:flag("--no-export", "extend only")
data_options(extend)
export_options(extend)

local export = parser:command("export", "Writes OpenVINO's files and compares them with the model.")
export:argument("model", "its folder")
export:option("--data-dir", "pictures to compare on"):count(1)
data_options(export)
export_options(export)

local infer = parser:command("infer", "Scores, labels, maps and masks of pictures.")
infer:argument("model", "its folder, or that of a patchcore_model.pt")
infer:argument("images", "pictures or folders"):args "*"
infer:option("--out", "folder of the results"):default "inspected"
infer:option("--watch", "inspect what comes into this folder, until Ctrl-C")
infer:option("--engine", "openvino, libtorch or auto"):default "auto":choices { "auto", "openvino", "libtorch" }
infer:option("--precision", "for openvino"):default "f32":choices { "f32", "f16", "bf16", "default" }
infer:flag("--pin-threads", "for openvino: to processors")
infer:option("--pass-threshold", "of the 0 ... 100 map"):default "50":convert(cli.number(0, 100))
infer:option("--min-area", "of a defect, px"):default "0":convert(cli.number(0))
infer:option("--min-width", "of a defect, px"):default "0":convert(cli.integer(0))
infer:option("--min-height", "of a defect, px"):default "0":convert(cli.integer(0))

local evaluate = parser:command("evaluate", "Metrics on normal and anomalous pictures, and a page of them.")
evaluate:argument("model", "its folder")
evaluate:option("--data-dir", "folder with test pictures"):count(1)
evaluate:option("--out", "folder of the page (default: the model's)")
evaluate:option("--aupro-limit", "largest false positive rate"):default "0.3":convert(cli.number(0, 1))
evaluate:option("--engine", "openvino, libtorch or auto"):default "auto":choices { "auto", "openvino", "libtorch" }
data_options(evaluate)

local args = parser:parse { ... }
os.exit(work[args.action](args))
