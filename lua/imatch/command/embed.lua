-- imatch-lua embed: the vectors of a manifest's images, as .npy files with their _meta.json.
local cli = require "imatch.cli"
local im = require "imatch"
local embed = require "imatch.retrieval.embed"
local start = require "imatch.retrieval.start"

local parser = cli.command("embed",
  "Embeds the images of a manifest: global vectors, patch tokens and token grids as <embed root>/<dataset key>/<alias>/"
    .. "<label>/<kind>/<kind>_<cfg>_<variant>_<hub>_<LVD|SAT>_<label>_<frame>.npy with ..._meta.json beside. What is there is "
    .. "not made again. Images that are missing or cannot be decoded are listed, counted and left out. Exit status 1 when an "
    .. "image failed.")
parser:option("--init", "write data_key.json and manifest.json for the photos of this folder, and end"):argname "DIR"
parser:option("--backbone", "with --init: what embeds them"):default "efficientnet_lite0"
parser:option("--role", "with --init: what the photos are in a search"):choices({ "query", "reference" }):default "query"
parser:option("--manifest", "manifest.json")
parser:option("--data-key", "data_key.json")
cli.dataset_root_option(parser)
parser:option("--embed-root", "where the vectors go (default: what the manifest names)")
cli.weights_root_option(parser)
parser:option("--batch", "images that go forward together"):default "8":convert(cli.integer(1))
parser:option("--set", "any option of the backbones, KEY=VALUE; with another global than the usual one, its vectors are called "
  .. "GlobalClass_..., GlobalMeanPatches_..., GlobalGem_..."):count("*"):argname "KEY=VALUE"
parser:option("--decoders", "threads that decode ahead (default: as many as compute)"):convert(cli.integer(1))
parser:option("--report", "where the counts go (default: <embed root>/<dataset key>/embed_report.json)")
parser:flag("--overwrite", "make again what is there")
parser:flag("--list", "say what would be done, and end")
local arguments = parser:parse { ... }
if arguments.init then
  return start.write(arguments, cli)
elseif not arguments.manifest or not arguments.data_key then
  parser:error "expected --manifest and --data-key, which --init DIR writes"
end

if arguments.overwrite and im.run.processes() > 1 then
  parser:error "--overwrite: every process would make all files; start it alone"
end
local plan = cli.checked(im.retrieval.manifest(arguments.manifest, arguments.data_key, arguments.dataset_root))
local embed_root = arguments.embed_root or plan.embed_root
if embed_root == "" then
  cli.fail(("%s: names no query_embed_root or reference_embed_root; give --embed-root"):format(arguments.manifest))
end

local rows, num_failed = {}, 0
for number, model in ipairs(plan.models) do
  cli.warn_of(("images of models[%d] are missing:"):format(number), model.missing)
  for _, weight in ipairs(model.weights) do
    local row = { model = number, alias = weight.alias, images = #model.images, missing = model.missing }
    rows[#rows + 1] = row
    if arguments.list then
      print(("models[%d] %s: %d images, %d missing, res %d"):format(number, weight.alias, #model.images, #model.missing,
        model.target_res))
    else
      local counts, why = embed.run(plan, model, weight, {
        embed_root = embed_root,
        weights_root = arguments.weights_root,
        batch = arguments.batch,
        decoders = arguments.decoders,
        set = cli.flat(arguments.set),
        overwrite = arguments.overwrite,
      })
      if counts then
        row.done, row.cached, row.failed = counts.done, counts.cached, counts.failed
        row.wall_s, row.forward_s = counts.wall_s, counts.forward_s
        cli.warn_of("images could not be embedded:", counts.failed, function(failure)
          return ("%s: %s"):format(failure.path, failure.reason)
        end)
        num_failed = num_failed + #counts.failed
        print(("models[%d] %s: %d embedded, %d there before, %d failed, %d missing; %.1f s, the network %.0f %%"):format(number,
          weight.alias, counts.done, counts.cached, #counts.failed, #model.missing, counts.wall_s,
          100 * counts.forward_s / math.max(counts.wall_s, 1e-9)))
      else
        row.problem = why -- the other weights go on
        num_failed = num_failed + #model.images
        cli.warn(("models[%d] %s: %s"):format(number, weight.alias, why))
      end
    end
  end
end
if not arguments.list then
  local path = arguments.report or cli.checked(im.file.below(embed_root, plan.dataset_key, "embed_report.json"))
  cli.checked(im.io.write_json(path, { manifest = arguments.manifest, dataset_key = plan.dataset_key, runs = rows }))
end
os.exit(num_failed == 0 and 0 or 1)
