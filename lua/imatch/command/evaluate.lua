-- imatch-lua evaluate: search results against the truth, in metres.
local cli = require "imatch.cli"
local im = require "imatch"
local evaluation = require "imatch.retrieval.evaluation"
local report = require "imatch.retrieval.report"
local search = require "imatch.retrieval.search"

local parser = cli.command("evaluate",
  "Compares search results with true positions: recall, rank, metres, hits, latency, each metric with its definition. Writes "
    .. "summary and details as JSON and CSV, queries as GeoJSON and KML, and report.html. Each folder that holds results, at or "
    .. "below a RESULT, is a group of its own, named by the folder, and so is each aggregate.")
parser:argument("result", "folder of result files or of rows for Redis, one above such folders, or an aggregate; or the run "
  .. "folder of localize, which knows its truth"):args "+"
parser:option("--direction", "of a group that mixes several, as search has it: reference-data (reference2db in files: the first "
  .. "are the queries), data-reference, ... (default: of its first result)"):choices(search.directions())
parser:option("--truth",
  "positions of queries and references: annotation JSON, label index, CSV, or 'images': what the pictures say")
parser:option("--query-truth", "of the queries alone")
parser:option("--reference-truth", "of the references alone")
parser:option("--out", "folder"):default "evaluation"
parser:option("--radius-m", "a reference within it of the true position is right"):default "25":convert(cli.number(0))
parser:option("--failure-m", "a prediction farther off is a failure"):default "100":convert(cli.number(0))
parser:option("--tile-width-m", "width of a reference on the ground, for PDM"):default "0":convert(cli.number(0))
parser:option("--hits-m", "distances of the hit rates, separated by commas"):convert(cli.numbers)
parser:option("--recalls", "the K, separated by commas"):default "1,5,10,20":convert(cli.numbers)
parser:option("--gt-sigma-m", "standard deviation of the true positions"):convert(cli.number(0))
parser:option("--data-key", "data_key.json, which may name gt_sigma_m of the data set")
parser:option("--dataset", "its key there")
parser:flag("--all", "print every metric with its definition")
parser:option("--map", "GeoTIFF behind the map of the report")
local arguments = parser:parse { ... }
if #arguments.result == 1 and require("imatch.localize.summary").print(arguments.result[1], arguments.all) then
  os.exit(0)
end

local options = {
  radius_m = arguments.radius_m, failure_m = arguments.failure_m, tile_width_m = arguments.tile_width_m,
  recall_k = arguments.recalls, hit_m = arguments.hits_m,
  gt_sigma_m = arguments.gt_sigma_m,
}
local facts
if arguments.data_key then
  local dataset = cli.checked(im.retrieval.dataset(arguments.data_key, arguments.dataset
    or cli.fail "--data-key needs --dataset"))
  options.gt_sigma_m = options.gt_sigma_m or dataset.gt_sigma_m
  facts = { alt_ref = dataset.alt_ref, yaw_source = dataset.yaw_source, gt_sigma_m = dataset.gt_sigma_m }
end
local truth = {
  direction = arguments.direction and search.DIRECTIONS[arguments.direction].label,
  queries = arguments.query_truth or arguments.truth or cli.fail "where the true positions are is not given: --truth",
  references = arguments.reference_truth or arguments.truth
    or cli.fail "where the references are is not given: --reference-truth",
}

local read_positions = evaluation.position_reader()
local page, evaluations, unusable = { runs = {}, radius_m = options.radius_m }, {}, {}
local function evaluate(files)
  local summary, found, points = evaluation.of(files, read_positions, truth, options)
  if not summary then
    unusable[#unusable + 1] = found
    return
  end
  evaluations[#evaluations + 1] = found
  summary.dataset = facts and next(facts) and facts or nil
  page.runs[#page.runs + 1] = summary
  page.points, page.num_queries = page.points or points, page.num_queries or summary.num_queries
end
for _, path in ipairs(arguments.result) do
  for _, files in ipairs(evaluation.groups(path)) do
    evaluate(files)
  end
end
if #evaluations == 0 then
  cli.fail(unusable[1] or arguments.result[1] .. ": no search results")
end
for _, message in ipairs(unusable) do
  cli.warn(message)
end
cli.checked(im.retrieval.save_evaluations(arguments.out, evaluations))
if arguments.map then
  page.background = cli.checked(report.background(arguments.map, 1600))
end
report.write(arguments.out .. "/report.html", "Coarse localisation", page)
for _, summary in ipairs(page.runs) do
  for _, warning in ipairs(summary.warnings) do
    io.stderr:write("warning: ", warning, "\n")
  end
  if not arguments.quiet then
    evaluation.print_answer(summary, options.radius_m)
    if arguments.all then
      evaluation.print(summary.metrics)
      evaluation.print_plane(summary.label_metrics)
    end
  end
end
if not arguments.quiet then
  print(arguments.out .. "/report.html" .. (arguments.all and "" or "  (--all prints every metric)"))
end
