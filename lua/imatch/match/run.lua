-- The commands run and run2: the same but for the layout of the weights that they look for.
local cli = require "imatch.cli"
local conventions = require "imatch.backbone.conventions"
local im = require "imatch"
local images = require "imatch.match.images"
local job = require "imatch.match.job"
local run_options = require "imatch.match.run_options"
local summary = require "imatch.match.summary"
local weights = require "imatch.backbone.weights"

local M = {}

--- Pairs to match as the arguments select them; without any the program ends and says what there is.
local function pairs_to_run(args)
  local found, message = images.choose(args.images, args.pattern, args.id)
  if not found then
    cli.fail(message:find "^%-%-" and message or "pairs_to_run=0: " .. message)
  end
  return cli.checked(images.ordered_pairs(found, cli.flat(args.a), cli.flat(args.b)))
end

--- What the backbone of this name gets where the arguments do not say it.
local function usual_options(args, name, command)
  local options = conventions.of(name, command)
  options.image_size, options.resize = args.image_size, args.resize or options.resize
  return options
end

--- The settings of --set, and of the options that stand for one of them.
local function own_settings(args)
  local settings = cli.flat(args.set)
  for _, key in ipairs { "interpolation", "arithmetic", "global" } do
    settings[#settings + 1] = args[key] and ("%s=%s"):format(key, args[key])
  end
  return settings
end

--- The backbones that can run, each with its options; and how many of those asked for by name cannot.
local function backbones(args, command, layout, parser)
  local groups = cli.flat(args.group)
  if args.all_weights then
    groups[#groups + 1] = ""
  end
  local list, problems, message = weights.choose(cli.flat(args.weights), groups, args.weights_root, layout)
  if not list then
    parser:error(message)
  end
  for _, problem in ipairs(problems) do
    cli.warn(problem)
  end
  if #list == 0 then
    cli.fail "no weights to run with"
  end
  for _, weight in ipairs(list) do
    weight.options, message = weights.options_of(weight, usual_options(args, weight.name, command), own_settings(args))
    if not weight.options then
      parser:error("--set " .. message)
    elseif weight.options.resize == "processor" and (args.interpolation or args.arithmetic) then
      parser:error "--interpolation and --arithmetic: preprocessor_config.json decides; expected another --resize with them"
    end
    weight.other_global = conventions.other_global(weight.name, command, weight.options)
  end
  return list, #problems
end

--- Runs all pairs with one backbone and says how it went. False when it could not run.
local function run_one(settings, weight, list, bad_images)
  local start = im.now()
  local ok, result, message = pcall(job.run, settings, weight, list)
  im.backbone.close_all()
  if not ok and tostring(result):find "interrupted" then
    error(result, 0)
  elseif not ok then -- options that this backbone alone refuses
    result, message = nil, tostring(result)
  end
  if not result then
    cli.warn(("%s: %s"):format(weight.name, message))
    return false
  end
  for _, image in ipairs(result.failed_images) do
    bad_images[image.file] = image.problem
  end
  local counts = result.counts
  print(("%s: pairs_to_run=%d: %d run, %d finished before, %d skipped, in %s; %s/pair_match"):format(weight.name, counts.total,
    counts.run, counts.finished, counts.skipped, im.duration(im.now() - start), settings.out))
  return true
end

--- Runs the command. name: "run"; what: its description; layout: of the weights, as backbone.find_weights.
function M.command(name, what, layout, ...)
  local parser = run_options.parser(name, what, layout)
  local args = parser:parse { ... }
  local settings = run_options.settings(args, parser)
  local list = pairs_to_run(args)
  local chosen, num_problems = backbones(args, name, layout, parser)
  local bad_images = {}
  for _, weight in ipairs(chosen) do
    if not run_one(settings, weight, list, bad_images) then
      num_problems = num_problems + 1
    end
  end
  local files = {}
  for file in pairs(bad_images) do
    files[#files + 1] = file
  end
  table.sort(files)
  for _, file in ipairs(files) do
    cli.warn("skipped the pairs of an image: " .. bad_images[file])
  end
  summary.print(settings.out, list, chosen)
  if #files > 0 or num_problems > 0 then
    os.exit(1)
  end
end

return M
