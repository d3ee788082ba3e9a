-- The options of the commands run and run2.
local cli = require "imatch.cli"
local im = require "imatch"

local M = {}

local EPILOG = [[
Images that are called <ID>_<ALT>_<FRAME>.jpg are chosen by altitude and frame; any others by their names.
Writes OUT/pair_match/<weight>_<ALT>_<FRAME>/<weight>_<ALT.FRAME of a>_<ALT.FRAME of b>.json for every ordered pair. A file
that is there with the same settings, weights and images is left alone, so a run that was killed goes on where it was.
Exit status: 0; 1 when an image or weights could not be used; 2 for wrong usage.]]

--- The parser of `imatch-lua NAME`.
---@param name string "run"
---@param what string its description
---@param layout string of the weights: "folder" for those that may come with a file of preprocessing
function M.parser(name, what, layout)
  local p = cli.command(name, what)
  p:epilog(EPILOG)
  p:option("-w --weights", "backbones by name, or NAME=PATH of the weights"):args("+"):count("*"):argname "NAME"
  p:option("--group", "backbones of a group of published weights: ViT, ConvNeXT, SAT, registers, dinov2 ..."):count("*")
  p:flag("--all-weights", "every published backbone whose weights are there")
  cli.weights_root_option(p)
  p:option("-a", "image a: ALT, or ALT.FRAME as in 400.0200, or the name of any other image; every one unless given")
    :args("+"):count("*"):argname "ALT"
  p:option("-b", "image b, likewise"):args("+"):count("*"):argname "ALT"
  p:flag("-e --save-embeddings", "also OUT/embeds/<weight>/<A>_<B>/{global_a,global_b,patch_a,patch_b}.npy, of the tokens those "
    .. "that took part, in their order")
  cli.option(p, "--images --root", "folder of the images, or images in the order in which they are to be paired",
    { "DATASET_HOST" }):args "+"
  cli.option(p, "--out", "folder of the results", { "EXPORT_HOST" }, "out")
  p:flag("--force", "match again what is finished")
  p:option("--pattern", "regular expression of the images' paths with the groups (?P<alt>...) and (?P<frame>...)")
  p:option("--id", "only images whose name begins with this")
  local modes = { "shorter_cut", "shorter", "longer", "exact" }
  local resize = "shorter_cut: the shorter side, what exceeds whole patches cut off; shorter, longer: that side, both rounded to "
    .. "whole patches; exact: a square"
  if layout == "folder" then
    modes[#modes + 1] = "processor"
    p:option("--image-size", "side in pixels to which images are resized; 0: what preprocessor_config.json names")
      :default("336"):convert(cli.integer(0))
    p:option("--resize", resize .. "; processor (the default): all as preprocessor_config.json says, the shortest edge being "
      .. "--image-size"):choices(modes)
  else
    p:option("--image-size", "side in pixels to which images are resized"):default("336"):convert(cli.integer(1))
    p:option("--resize", resize .. " (default: shorter_cut)"):choices(modes)
  end
  p:option("--interpolation", "of the resizing (default: bilinear for DINOv2 and DINOv3, bicubic for others)")
    :choices { "bilinear", "bicubic", "area" }
  p:option("--arithmetic", "float: samples are not rounded to 8 bits after resizing (default: float for DINOv2 and DINOv3, "
    .. "uint8 for others)"):choices { "float", "uint8" }
  p:option("--global", "the image's vector, as the backbone's option `global` says; another than the usual one is written as "
    .. "global_<NAME>_a.npy, its cosine under other_global"):argname "NAME"
  p:option("--max-features", "tokens of an image that take part, at most"):default("1000"):convert(cli.integer(1))
  p:option("--match-th", "least cosine similarity"):default("0.1"):convert(cli.number(-1, 1))
  p:option("--keypoint-th", "least norm of a token, min-max normalised"):default("0.015"):convert(cli.number(0, 1))
  p:option("--line-th", "least similarity as a share of the pair's best"):default("0.2"):convert(cli.number(0, 1))
  p:option("--rotations", "angles in degrees by which b is rotated clockwise, the best is kept: 0,90,180,270")
    :convert(cli.numbers)
  p:option("--rotation-step", "the same with every so many degrees"):convert(cli.number(1e-3, 360))
  p:option("--rotation-score", "what the best has most of"):choices({ "inliers", "matches" }):default "inliers"
  p:option("--set", "any other option of the backbones, KEY=VALUE: layer=9, facet=key, dtype=bf16"):count("*"):argname "KEY=VALUE"
  p:option("--batch-size", "images decoded and run together"):default("8"):convert(cli.integer(1))
  p:option("--memory-mb", "features held in memory; more is written to disk meanwhile"):default("1024"):convert(cli.integer(1))
  return p
end

--- The angles asked for, or nil.
local function rotations_of(args)
  if args.rotation_step then
    return im.range(0, 360 * (1 - 1e-6), args.rotation_step) -- a whole turn is none
  end
  return args.rotations
end

--- The device that "auto" means.
local function device()
  local given = im.settings().device
  return given ~= "auto" and given or im.version().GPU == "none" and "cpu" or "cuda:0"
end

--- What match.job takes as settings, from the arguments as the parser gives them; wrong usage ends the program.
function M.settings(args, parser)
  if not args.images then
    parser:error "--images is missing, and DATASET_HOST is not set"
  elseif args.rotations and args.rotation_step then
    parser:error "--rotations and --rotation-step: expected one of them"
  elseif #cli.flat(args.weights) + #cli.flat(args.group) == 0 and not args.all_weights then
    parser:error "expected backbones: -w NAME, --group NAME or --all-weights"
  end
  return {
    root = args.images[1], out = args.out, image_size = args.image_size > 0 and args.image_size or nil,
    save_embeds = args.save_embeddings or false,
    rotations_deg = rotations_of(args), rotation_score = args.rotation_score, batch_size = args.batch_size,
    memory_mb = args.memory_mb, device = device(), force = args.force or false,
    repo_dir = cli.environment("CODE_HOST", "PROJECT_HOST"),
    match = {
      max_features = args.max_features, match_th = args.match_th, keypoint_th = args.keypoint_th, line_th = args.line_th,
    },
  }
end

return M
