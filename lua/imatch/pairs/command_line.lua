-- The commands run and run2: the same but for the layout of the weights that they look for.
local im = require "imatch"
local images = require "imatch.pairs.images"
local matching = require "imatch.pairs.matching"
local weights = require "imatch.pairs.weights"

local M = {}

local EPILOG = [[
Writes OUT/pair_match/<weight>_<ALT>_<FRAME>/<weight>_<ALT.FRAME of a>_<ALT.FRAME of b>.json for every ordered pair. A file
that stands there with the same settings, weights and images is left alone, so a run that was killed goes on where it was.
Environment: DATASET_HOST (--root), EXPORT_HOST (--out), WEIGHTS_ROOT or WEIGHTS_HOST (--weights-root).
Exit status: 0; 1 when an image or weights could not be used; 2 for wrong usage.]]

local function environment(name)
  local value = os.getenv(name)
  return value ~= "" and value or nil
end

--- Options of argparse that take several values and may be repeated give lists of lists.
local function flat(lists)
  local all = {}
  for _, list in ipairs(lists or {}) do
    for _, item in ipairs(type(list) == "table" and list or { list }) do
      all[#all + 1] = item
    end
  end
  return all
end

local function parser_for(name, what)
  local p = im.arguments("imatch-lua " .. name, what)
  p:epilog(EPILOG)
  p:option("-w --weights", "backbones by name, or NAME=PATH of the weights"):args("+"):count("*"):argname "NAME"
  p:option("--group", "backbones of a group of published weights: ViT, ConvNeXT, SAT, registers, dinov2 ..."):count("*")
  p:flag("--all-weights", "every published backbone whose weights are there")
  p:option("--weights-root", "folder of the weights, searched with those below it")
  p:option("-a", "image a: ALT, or ALT.FRAME as in 400.0200; every one unless given"):args("+"):count("*"):argname "ALT"
  p:option("-b", "image b, likewise"):args("+"):count("*"):argname "ALT"
  p:flag("-e --save-embeddings", "also OUT/embeds/<weight>/<A>_<B>/{global_a,global_b,patch_a,patch_b}.npy")
  p:option("--root", "folder of the images"):default(environment "DATASET_HOST")
  p:option("--out", "folder of the results"):default(environment "EXPORT_HOST" or "out")
  p:option("--pattern", "regular expression of the images' paths with the groups (?P<alt>...) and (?P<frame>...)")
  p:option("--id", "only images whose name begins with this")
  p:option("--image-size", "side in pixels to which images are resized"):default("336"):convert(tonumber)
  p:option("--resize", "shorter_cut: the shorter side, what exceeds whole patches cut off; shorter, longer: that side, both "
    .. "rounded to whole patches; exact: a square"):choices({ "shorter_cut", "shorter", "longer", "exact" }):default "shorter_cut"
  p:option("--max-features", "tokens of an image that take part, at most"):default("1000"):convert(tonumber)
  p:option("--match-th", "least cosine similarity"):default("0.1"):convert(tonumber)
  p:option("--keypoint-th", "least norm of a token, min-max normalised"):default("0.015"):convert(tonumber)
  p:option("--line-th", "least similarity as a share of the pair's best"):default("0.2"):convert(tonumber)
  p:option("--rotations", "angles in degrees by which b is turned clockwise, the best is kept: 0,90,180,270")
  p:option("--rotation-step", "the same with every so many degrees"):convert(tonumber)
  p:option("--rotation-score", "what the best has most of"):choices({ "inliers", "matches" }):default "inliers"
  p:option("--set", "any other option of the backbones, KEY=VALUE: layer=9, facet=key, dtype=bf16"):count("*"):argname "KEY=VALUE"
  p:option("--batch-size", "images decoded and run together"):default("8"):convert(tonumber)
  p:option("--memory-mb", "features held in memory; more is written to disk meanwhile"):default("1024"):convert(tonumber)
  return p
end

--- The angles asked for, or nil.
local function rotations_of(args, parser)
  if args.rotations and args.rotation_step then
    parser:error "--rotations and --rotation-step: expected one of them"
  end
  if args.rotation_step then
    if args.rotation_step <= 0 or args.rotation_step > 360 then
      parser:error(("--rotation-step: %s is not allowed; expected degrees in (0, 360]"):format(args.rotation_step))
    end
    return im.range(0, 360 * (1 - 1e-6), args.rotation_step) -- a whole turn is none
  end
  if not args.rotations then
    return nil
  end
  local angles = {}
  for text in args.rotations:gmatch "[^,%s]+" do
    angles[#angles + 1] = tonumber(text) or parser:error(("--rotations: '%s' is no number of degrees"):format(text))
  end
  if #angles == 0 then
    parser:error "--rotations: expected angles in degrees, such as 0,90,180,270"
  end
  return angles
end

--- The options that all backbones get, and those of one of them; what it does not know is left out of `common` alone.
local function options_of(weight, common, own, parser)
  local known = {}
  for _, option in ipairs(im.backbone.describe(weight.name).options) do
    known[option.name] = option.type
  end
  local options = {}
  for key, value in pairs(common) do
    if known[key] then
      options[key] = value
    end
  end
  for _, setting in ipairs(own) do
    local key, value = setting:match "^([%w_]+)=(.*)$"
    if not key then
      parser:error(("--set %s: expected KEY=VALUE"):format(setting))
    elseif not known[key] then
      parser:error(("--set %s: %s has no such option"):format(setting, weight.name))
    end
    if known[key] == "integer" or known[key] == "number" then
      options[key] = tonumber(value) or parser:error(("--set %s: expected a number"):format(setting))
    elseif known[key] == "boolean" then
      options[key] = value == "true"
    else
      options[key] = value
    end
  end
  if weight.path then
    options.weights = weight.path
  end
  return options
end

--- The backbones asked for, each with its weights. Those of -w must be there; of groups the absent ones are skipped.
local function chosen_weights(args, layout, parser)
  local root = weights.root(args.weights_root)
  local list, problems, seen = {}, 0, {}
  local function add(text, is_required)
    if seen[text] then
      return
    end
    seen[text] = true
    local weight, message = weights.resolve(text, root, layout)
    if weight then
      list[#list + 1] = weight
    else
      problems = problems + (is_required and 1 or 0)
      io.stderr:write(is_required and "imatch-lua: " or "skipped: ", message, "\n")
    end
  end
  for _, text in ipairs(flat(args.weights)) do
    add(text, true)
  end
  local groups = flat(args.group)
  if args.all_weights then
    groups[#groups + 1] = ""
  end
  for _, group in ipairs(groups) do
    local names, message = weights.in_group(group)
    for _, name in ipairs(names or parser:error(message)) do
      add(name, false)
    end
  end
  return list, problems
end

--- The device that "auto" means.
local function device()
  local given = im.settings().device
  return given ~= "auto" and given or im.version().GPU == "none" and "cpu" or "cuda:0"
end

local function fail(message)
  io.stderr:write("imatch-lua: ", message, "\n")
  os.exit(1)
end

--- Runs the command. name: "run"; what: its description; layout: of the weights, as backbone.find_weights.
function M.run(name, what, layout, ...)
  local parser = parser_for(name, what)
  local args = parser:parse { ... }
  for _, option in ipairs { "image_size", "max_features", "batch_size", "memory_mb" } do
    if args[option] < 1 or args[option] % 1 ~= 0 then
      parser:error(("--%s: %s is not allowed; expected an integer >= 1"):format(option:gsub("_", "-"), args[option]))
    end
  end
  for option, low in pairs { match_th = -1, keypoint_th = 0, line_th = 0 } do
    if not (args[option] >= low and args[option] <= 1) then
      parser:error(("--%s: %s is not allowed; expected a number in [%d, 1]"):format(option:gsub("_", "-"), args[option], low))
    end
  end
  if not args.root then
    parser:error "--root is missing, and DATASET_HOST is not set"
  end
  local rotations_deg = rotations_of(args, parser)
  if #flat(args.weights) + #flat(args.group) == 0 and not args.all_weights then
    parser:error "expected backbones: -w NAME, --group NAME or --all-weights"
  end

  local found, message = images.find(args.root, args.pattern, args.id)
  if not found then
    fail(message:find "^%-%-" and message or "pairs_to_run=0: " .. message)
  end
  local list
  list, message = images.ordered_pairs(found, flat(args.a), flat(args.b))
  if not list then
    fail(message)
  end
  local chosen, problems = chosen_weights(args, layout, parser)
  if #chosen == 0 then
    fail "no weights to run with"
  end
  for _, weight in ipairs(chosen) do
    weight.options = options_of(weight, { image_size = args.image_size, resize = args.resize }, flat(args.set), parser)
  end

  local job = {
    root = args.root, out = args.out, image_size = args.image_size, save_embeds = args.save_embeddings or false,
    rotations_deg = rotations_deg, rotation_score = args.rotation_score, batch_size = args.batch_size,
    memory_mb = args.memory_mb, device = device(),
    repo_dir = environment "CODE_HOST" or environment "PROJECT_HOST",
    match = {
      max_features = args.max_features, match_th = args.match_th, keypoint_th = args.keypoint_th, line_th = args.line_th,
    },
  }
  local bad = {}
  for _, weight in ipairs(chosen) do
    local start = im.now()
    local ok, counts, failed = pcall(matching.run, job, weight, list)
    if not ok then
      if tostring(counts):find "interrupted" then
        error(counts, 0)
      end
      problems = problems + 1
      io.stderr:write(("imatch-lua: %s: %s\n"):format(weight.name, tostring(counts)))
    else
      for image, why in pairs(failed) do
        bad[image.file] = why
      end
      print(("%s: pairs_to_run=%d: %d run, %d finished before, %d skipped, in %s; %s/pair_match"):format(weight.name,
        counts.total, counts.run, counts.finished, counts.skipped, im.run.duration(im.now() - start), job.out))
    end
    im.backbone.close_all()
  end
  local files = {}
  for file in pairs(bad) do
    files[#files + 1] = file
  end
  table.sort(files)
  for _, file in ipairs(files) do
    io.stderr:write(("imatch-lua: skipped the pairs of an image: %s\n"):format(bad[file]))
  end
  if #files > 0 or problems > 0 then
    os.exit(1)
  end
end

return M
