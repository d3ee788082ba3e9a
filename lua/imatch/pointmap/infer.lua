-- imatch-lua pointmap infer: points in space from pictures.
local cli = require "imatch.cli"
local im = require "imatch"
local upstream_config = require "imatch.pointmap.upstream_config"

local M = {}

function M.declare(command)
  command:argument("checkpoint", "weights_<step>.pth"):args "?"
  command:argument("pictures", "pictures (<id>_rgb.png), or features (<id>_feat.png or .npy) for a network that sees those")
    :args "*"
  command:option("--config", "the published code's configs/infer.yaml, which names all of this; options that are given win")
  command:option("--masks", "folder with <id>_mask.png (default: masks/ beside the pictures' folder)")
  command:option("--mask", "the mask of the one picture")
  command:option("--out", "folder of the results (default: points)")
  command:option("--resolution", "side at which the network sees them, px (default: as trained)"):convert(cli.integer(8, 4096))
  command:option("--occupancy", "a layer is there above it"):default "0.5":convert(cli.number(0, 1))
  command:option("--confidence-limit", "points below it are dropped; the confidence is always above 1 (default: 2)")
    :convert(cli.number(0))
  command:flag("--ascii", "PLY as text")
  command:flag("--colour", "colours by canonical position")
  command:flag("--confidence", "a property of the points")
  command:flag("--layer", "a property of the points")
  command:flag("--normals", "of the points")
  command:flag("--glb", "GLB as well")
  command:flag("--npz", "the raw prediction as well")
end

--- "renders/fox_01_rgb.png" -> "fox_01".
function M.id_of(path)
  return (im.file.stem(path):gsub("_rgb$", ""):gsub("_feat$", ""))
end

local function mask_of(args, path)
  if args.mask then
    return args.mask
  end
  local folder = args.masks or im.file.join(im.file.folder(im.file.folder(im.file.absolute(path))), "masks")
  local mask = im.file.join(folder, M.id_of(path) .. "_mask.png")
  return im.file.exists(mask) and mask or nil
end

local function warn_of_limits(args)
  if args.confidence_limit <= 1 then
    cli.warn(("--confidence-limit %g drops nothing: the confidence is always above 1; 2 is a raw value of 0")
      :format(args.confidence_limit))
  end
end

local function infer(model, path, args)
  local id, mask = M.id_of(path), mask_of(args, path)
  local points, message = model:points(path, mask, { occupancy = args.occupancy, confidence = args.confidence_limit })
  if not points then
    return nil, message
  end
  local prefix = im.file.join(args.out, id)
  local files, why = points:save(prefix, { ascii = args.ascii, colour = args.colour, confidence = args.confidence,
    layer = args.layer, normals = args.normals, glb = args.glb })
  if not files then
    return nil, why
  end
  if args.npz then
    model:save_prediction(path, mask, prefix .. ".npz")
  end
  print(("%s: %d points%s"):format(id, #points, mask and "" or ", without a mask"))
  return true, nil, not mask
end

local function ids_of(path)
  local ids = {}
  for id in cli.checked(im.file.read(path)):gmatch "[^\r\n]+" do
    ids[id] = true
  end
  return ids
end

--- What infer.yaml says, where nothing else was given: its features (or the pictures of its data set) but for the ids left out.
local function complete(args)
  local config = args.config and cli.checked(upstream_config.infer(args.config)) or {}
  for name, standard in pairs { checkpoint = false, out = "points", masks = false, confidence_limit = 2, resolution = false } do
    args[name] = args[name] or config[name] or standard or nil
  end
  args.model_device = args.device or config.device or im.settings().device
  if #args.pictures == 0 and args.config then
    local folder = config.features or config.data and config.data .. (config.kind == "rgb" and "/renders" or "/features")
    local names = folder and cli.checked(im.file.list(folder, { extensions = { "png", "npy" } })) or {}
    local include, exclude = config.include and ids_of(config.include), config.exclude and ids_of(config.exclude) or {}
    for _, name in ipairs(names) do
      local id = M.id_of(name)
      if (not include or include[id]) and not exclude[id] then
        table.insert(args.pictures, im.file.join(folder, name))
      end
    end
  end
  if not args.checkpoint or #args.pictures == 0 then
    cli.fail("a checkpoint and pictures are needed, or --config that names them", 2)
  end
end

function M.run(args)
  complete(args)
  warn_of_limits(args)
  if args.mask and #args.pictures > 1 then
    cli.fail("--mask is for one picture; --masks names a folder", 2)
  end
  local model = cli.checked(im.pointmap.open(args.checkpoint, { resolution = args.resolution, device = args.model_device }))
  local failed, unmasked = {}, 0
  local progress = cli.progress("infer", "pictures", #args.pictures)
  for _, path in ipairs(args.pictures) do
    local ok, message, without = infer(model, path, args)
    if not ok then
      failed[#failed + 1] = message
    end
    unmasked = unmasked + (without and 1 or 0)
    progress:add(1, 0, ok and 0 or 1)
  end
  progress:finish()
  if unmasked > 0 then
    cli.warn(("%d without a mask: a network that learned occupancy inside of silhouettes alone says nothing of the background, "
      .. "which may be full of points"):format(unmasked))
  end
  cli.warn_of("pictures gave no points:", failed)
  return #failed > 0 and 1 or 0
end

return M
