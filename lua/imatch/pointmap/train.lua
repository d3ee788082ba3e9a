-- imatch-lua pointmap train: a dual point map network from a folder of rasterised samples.
local cli = require "imatch.cli"
local im = require "imatch"
local mesh_samples = require "imatch.pointmap.mesh_samples"
local upstream_config = require "imatch.pointmap.upstream_config"

local M = {}

--- What a preset gives; an option that is given wins. "small" trains in minutes on a processor.
M.presets = {
  upstream = {},
  small = {
    network = { resolution = 64, model_channels = 32, blocks = 1 },
    training = { batch = 8, steps = 500, save_every = 250, picture_every = 100, optimiser = { lr_step = 300 } },
  },
}

--- Options of im.pointmap.train by their place in its table: flag, place, kind or converter, what it is.
local OPTIONS = {
  { "--resolution", "network.resolution", cli.integer(8, 4096), "side of what goes in and of the targets, px" },
  { "--model-channels", "network.model_channels", cli.integer(4, 4096), "width of the first level" },
  { "--multipliers", "network.multipliers", cli.numbers, "width of each level, in model channels, with commas" },
  { "--blocks", "network.blocks", cli.integer(1, 64), "residual blocks of each level" },
  { "--attention-resolutions", "network.attention_resolutions", cli.numbers, "levels of these sides have attention" },
  { "--layers", "network.layers", cli.integer(1, 64), "surfaces behind each other that are predicted" },
  { "--depth-first", "network.depth_first", "flag", "the first stage makes posed points" },
  { "--image-conditioning", "network.image_conditioning", "flag", "the second stage sees the features too" },
  { "--features", "features.kind", "text", "auto, png, npy, rgb or backbone" },
  { "--backbone", "features.backbone", "text", "for --features backbone: name, or name and options" },
  { "--feature-channels", "features.channels", cli.integer(1, 4096), "of a backbone, kept by principal axes" },
  { "--include", "data.include", "text", "file with the ids that are taken, one a line" },
  { "--exclude", "data.exclude", "text", "file with the ids that are left out" },
  { "--skip-multiples-of", "data.skip_multiples_of", cli.integer(0), "ids that are left out, as upstream does; 0: none" },
  { "--validation", "validation", "text", "file with the ids that are not trained on" },
  { "--validation-data", "validation_data", "text", "folder or mesh whose samples are for validation" },
  { "--weights", "weights", "text", "checkpoint to begin with, ours or the published code's" },
  { "--dropout", "dropout", cli.number(0, 0.9), "share of a block's inner values set to zero" },
  { "--alpha", "alpha", cli.number(0), "weight of the logarithm of the confidence" },
  { "--occupancy-weight", "occupancy_weight", cli.number(0), "weight of the occupancy's loss beside that of the points" },
  { "--whole-picture", "whole_picture", "flag", "learn occupancy outside of the silhouette too" },
  { "--crop", "augmentation.crop", cli.number(0, 0.9), "windows up to this share smaller are enlarged" },
  { "--colour", "augmentation.colour", cli.number(0, 1), "contrast, brightness and channels change by up to this share" },
  { "--background", "augmentation.background", cli.number(0, 1), "share of the samples with a colour outside of the silhouette" },
  { "--flip", "augmentation.flip", "text", "mirror half of the samples: the axis (x, y, z) of symmetry at rest" },
  { "--steps", "training.steps", cli.integer(1), "updates in all" },
  { "--batch", "training.batch", cli.integer(1), "samples of an update" },
  { "--accumulate", "training.accumulate", cli.integer(1), "parts in which they go through the network" },
  { "--save-every", "training.save_every", cli.integer(1), "steps between two checkpoints" },
  { "--keep-last", "training.keep_last", cli.integer(0), "so many checkpoints are kept; 0: all" },
  { "--validate-every", "training.validate_every", cli.integer(1), "steps between two validation batches" },
  { "--picture-every", "training.picture_every", cli.integer(0), "steps between two pictures of predictions; 0: none" },
  { "--workers", "training.workers", cli.integer(0, 256), "threads that read samples" },
  { "--precision", "training.precision", "text", "float32, bfloat16 or float16" },
  { "--lr", "training.optimiser.lr", cli.number(0), "learning rate" },
  { "--beta1", "training.optimiser.beta1", cli.number(0, 1), "of Adam" },
  { "--beta2", "training.optimiser.beta2", cli.number(0, 1), "of Adam" },
  { "--eps", "training.optimiser.eps", cli.number(0), "of Adam" },
  { "--weight-decay", "training.optimiser.weight_decay", cli.number(0), "of Adam" },
  { "--clip-grad-value", "training.optimiser.clip_grad_value", cli.number(0), "limit of a gradient's elements; 0: none" },
  { "--lr-step", "training.optimiser.lr_step", cli.integer(1), "steps after which the rate falls" },
  { "--lr-gamma", "training.optimiser.lr_gamma", cli.number(0, 1), "factor by which it falls" },
}

---@param command table
function M.declare(command)
  command:argument("data", "folder: renders/ masks/ pointmaps_<resolution>/ (or, to rasterise as needed, shapes/ poses/ cameras/ "
    .. "metadata/), where there are some features/; or a mesh, of which --count samples are rasterised likewise"):args "?"
  command:option("--out", "folder of checkpoints, losses and pictures; a run that it holds goes on (default: pointmap_run)")
  command:option("--config", "the published code's configs/main.yaml; options that are given win")
  command:option("--preset", "upstream: the published network; small: minutes on a processor"):default "upstream"
    :choices { "upstream", "small" }
  mesh_samples.declare(command, "1000")
  for _, option in ipairs(OPTIONS) do
    local flag, place, kind, text = unpack(option)
    if kind == "flag" then
      command:flag(flag, text):target(place)
    else
      local made = command:option(flag, text):target(place)
      if type(kind) == "function" then
        made:convert(kind)
      end
    end
  end
end

--- The value at "a.b.c" of a table, which is made as deep as needed.
local function put(options, place, value)
  local last
  for name in place:gmatch "[^.]+" do
    if last then
      options[last] = options[last] or {}
      options = options[last]
    end
    last = name
  end
  options[last] = value
end

local function copied(preset)
  local copy = {}
  for name, value in pairs(preset) do
    copy[name] = type(value) == "table" and copied(value) or value
  end
  return copy
end

--- Options of im.pointmap.train: the preset's, with those of the configuration, with those that were given.
function M.options_of(args, config)
  local options = copied(M.presets[args.preset or "upstream"])
  for place, value in pairs(config or {}) do
    if place:find "%." or place == "weights" or place == "dropout" or place:find "^validation" then
      put(options, place, value)
    elseif place == "include" or place == "exclude" then
      put(options, "data." .. place, value)
    end
  end
  for _, option in ipairs(OPTIONS) do
    if args[option[2]] ~= nil then
      put(options, option[2], args[option[2]])
    end
  end
  options.mesh = mesh_samples.drawn(args)
  if args.seed or not (config and config["training.seed"]) then
    put(options, "training.seed", im.settings().seed)
  end
  put(options, "training.device", im.settings().device)
  put(options, "training.distributed", (tonumber(os.getenv "WORLD_SIZE") or 1) > 1) -- as torchrun sets it
  return options
end

function M.run(args)
  local config = args.config and cli.checked(upstream_config.train(args.config)) or {}
  local data = args.data or config.data or cli.fail("no folder of samples; give one, or --config with dataset.root", 2)
  local report = cli.checked(im.pointmap.train(data, args.out or config.out or "pointmap_run", M.options_of(args, config)))
  if report.checkpoint == "" then
    return 0 -- not the first of several processes
  end
  print(("step %d, loss %.4f, %.1f pictures/s\ncheckpoint: %s\nlosses: %s"):format(report.step, report.loss,
    report.images_per_s, report.checkpoint, report.log))
  return 0
end

return M
