-- imatch-lua embed: the vectors of a manifest's images, as .npy files with their _meta.json.
local im = require "imatch"
local embed = require "imatch.coarse.embed"

local parser = im.arguments("imatch-lua embed",
  "Embeds the images of a manifest: global vectors, patch tokens and token grids as <embed root>/<dataset key>/<alias>/"
    .. "<label>/<kind>/<kind>_<cfg>_<variant>_<hub>_<LVD|SAT>_<label>_<frame>.npy with ..._meta.json beside. What is there is "
    .. "not made again. Images that are missing or cannot be decoded are listed, counted and left out. Exit status 1 when an "
    .. "image failed.")
parser:option("--manifest", "manifest.json"):args(1):count(1)
parser:option("--data-key", "data_key.json"):args(1):count(1)
parser:option("--dataset-root", "folder of the data sets (default: $DATASET_HOST, else the current one)")
parser:option("--embed-root", "where the vectors go (default: what the manifest names)")
parser:option("--weights-root", "folder with 01_ViT_LVD-1689M ... (default: $WEIGHTS_HOST, else $WEIGHTS_ROOT)")
parser:option("--batch", "images that go forward together"):default "8":convert(tonumber)
parser:option("--decoders", "threads that decode ahead (default: as many as compute)"):convert(tonumber)
parser:option("--report", "where the counts go (default: <embed root>/<dataset key>/embed_report.json)")
parser:flag("--overwrite", "make again what is there")
parser:flag("--list", "say what would be done, and end")
local arguments = parser:parse { ... }

local function fail(message)
  io.stderr:write("imatch-lua embed: ", message, "\n")
  os.exit(1)
end

local dataset_root = arguments.dataset_root or os.getenv "DATASET_HOST" or "."
local plan, message = im.coarse.manifest(arguments.manifest, arguments.data_key, dataset_root)
if not plan then
  fail(message)
end
local embed_root = arguments.embed_root or plan.embed_root
if embed_root == "" then
  fail(("%s: names no query_embed_root or reference_embed_root; give --embed-root"):format(arguments.manifest))
end

local LISTED = 20

--- Each list in full in the report, its head on the terminal.
local function tell(what, list, text)
  if #list == 0 then
    return
  end
  io.stderr:write(("%d %s\n"):format(#list, what))
  for i = 1, math.min(#list, LISTED) do
    io.stderr:write("  ", text(list[i]), "\n")
  end
  if #list > LISTED then
    io.stderr:write(("  ... and %d more\n"):format(#list - LISTED))
  end
end

local rows, num_failed = {}, 0
for number, model in ipairs(plan.models) do
  tell(("images of models[%d] are missing:"):format(number), model.missing, tostring)
  for _, weight in ipairs(model.weights) do
    local row = { model = number, alias = weight.alias, images = #model.images, missing = model.missing }
    rows[#rows + 1] = row
    if arguments.list then
      print(("models[%d] %s: %d images, %d missing, res %d"):format(number, weight.alias, #model.images, #model.missing,
        model.target_res))
    else
      local counts, why = embed.run(plan, model, weight, {
        embed_root = embed_root,
        weights_root = arguments.weights_root or os.getenv "WEIGHTS_HOST" or os.getenv "WEIGHTS_ROOT",
        batch = arguments.batch,
        decoders = arguments.decoders,
        overwrite = arguments.overwrite,
      })
      if counts then
        row.done, row.cached, row.failed = counts.done, counts.cached, counts.failed
        row.wall_s, row.forward_s = counts.wall_s, counts.forward_s
        tell("images could not be embedded:", counts.failed, function(failure)
          return ("%s: %s"):format(failure.path, failure.reason)
        end)
        num_failed = num_failed + #counts.failed
        print(("models[%d] %s: %d embedded, %d there before, %d failed, %d missing; %.1f s, the network %.0f %%"):format(number,
          weight.alias, counts.done, counts.cached, #counts.failed, #model.missing, counts.wall_s,
          100 * counts.forward_s / math.max(counts.wall_s, 1e-9)))
      else
        row.problem = why -- the other weights go on
        num_failed = num_failed + #model.images
        io.stderr:write(("imatch-lua embed: models[%d] %s: %s\n"):format(number, weight.alias, why))
      end
    end
  end
end
if not arguments.list then
  local path = arguments.report or ("%s/%s/embed_report.json"):format(embed_root, plan.dataset_key)
  local written, why = im.io.write_json(path, { manifest = arguments.manifest, dataset_key = plan.dataset_key, runs = rows })
  if not written then
    fail(why)
  end
end
os.exit(num_failed == 0 and 0 or 1)
