-- imatch-lua evaluate: search results against the truth, in metres.
local cli = require "imatch.cli"
local im = require "imatch"
local evaluation = require "imatch.retrieval.evaluation"
local report = require "imatch.retrieval.report"

local parser = cli.command("evaluate",
  "Compares search results with true positions: recall, rank, metres, hits, latency, each metric with its definition. Writes "
    .. "summary and details as JSON and CSV, queries as GeoJSON and KML, and report.html. Each RESULT is a folder of result "
    .. "files or one aggregate file, and an evaluation of its own.")
parser:argument("result", "folder or aggregate file of imatch-lua search"):args "+"
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
parser:option("--map", "GeoTIFF behind the map of the report")
local arguments = parser:parse { ... }

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
  queries = arguments.query_truth or arguments.truth or cli.fail "where the true positions are is not given: --truth",
  references = arguments.reference_truth or arguments.truth
    or cli.fail "where the references are is not given: --reference-truth",
}

local read_positions = evaluation.position_reader()
local page = { runs = {}, radius_m = options.radius_m }
for number, path in ipairs(arguments.result) do
  local summary, found, points = cli.checked(evaluation.of(path, read_positions, truth, options))
  local folder = #arguments.result == 1 and arguments.out
    or ("%s/%d_%s"):format(arguments.out, number, (summary.name:gsub("[^%w.-]", "_")))
  cli.checked(found:save(folder))
  summary.dataset = facts and next(facts) and facts or nil
  page.runs[number] = summary
  page.points, page.num_queries = page.points or points, page.num_queries or summary.num_queries
  for _, warning in ipairs(summary.warnings) do
    io.stderr:write("warning: ", warning, "\n")
  end
  if not arguments.quiet then
    print(("%s: %d queries, %d references"):format(summary.name, summary.num_queries, summary.num_references))
    evaluation.print(summary.metrics)
  end
  found:close()
end
if arguments.map then
  page.background = cli.checked(report.background(arguments.map, 1600))
end
report.write(arguments.out .. "/report.html", "Coarse localisation", page)
if not arguments.quiet then
  print(arguments.out .. "/report.html")
end
