-- imatch-lua evaluate: search results against the truth, in metres.
local im = require "imatch"
local report = require "imatch.retrieval.report"

local parser = im.arguments("imatch-lua evaluate",
  "Compares search results with true positions: recall, rank, metres, hits, latency, each figure with its definition. Writes "
    .. "summary and details as JSON and CSV, queries as GeoJSON and KML, and report.html. Each RESULT is a folder of result "
    .. "files or one aggregate file, and an evaluation of its own.")
parser:argument("result", "folder or aggregate file of imatch-lua search"):args "+"
parser:option("--truth",
  "positions of queries and references: annotation JSON, label index, CSV, or 'images': what the pictures say")
parser:option("--query-truth", "of the queries alone")
parser:option("--reference-truth", "of the references alone")
parser:option("--out", "folder"):default "evaluation"
parser:option("--radius-m", "an answer within it is right"):default "25":convert(tonumber)
parser:option("--failure-m", "a first answer farther off is a failure"):default "100":convert(tonumber)
parser:option("--tile-width-m", "width of a reference on the ground, for PDM"):default "0":convert(tonumber)
parser:option("--hits-m", "distances of the hit rates, separated by commas")
parser:option("--recalls", "the K, separated by commas"):default "1,5,10,20"
parser:option("--gt-sigma-m", "standard deviation of the true positions"):convert(tonumber)
parser:option("--data-key", "data_key.json, which may name gt_sigma_m of the data set")
parser:option("--dataset", "its key there")
parser:option("--map", "GeoTIFF behind the map of the report")
parser:flag("--quiet", "print no figures")
local arguments = parser:parse { ... }

local function fail(message)
  io.stderr:write("imatch-lua evaluate: ", message, "\n")
  os.exit(1)
end

local function numbers(text, option)
  local list = {}
  for part in text:gmatch "[^,]+" do
    list[#list + 1] = tonumber(part) or parser:error(("option '%s': '%s' is no number"):format(option, part))
  end
  return list
end

local function result_files(path)
  local names = im.io.list_files(path, { extensions = { "json" }, recursive = true })
  if not names then
    return { path }
  end
  local files = {}
  for _, name in ipairs(names) do
    if not name:find "_redis%.json$" then
      files[#files + 1] = path .. "/" .. name
    end
  end
  return files
end

local options = {
  radius_m = arguments.radius_m, failure_m = arguments.failure_m, tile_width_m = arguments.tile_width_m,
  recall_k = numbers(arguments.recalls, "--recalls"), hit_m = arguments.hits_m and numbers(arguments.hits_m, "--hits-m") or nil,
  gt_sigma_m = arguments.gt_sigma_m,
}
local facts = {}
if arguments.data_key then
  local dataset, why = im.retrieval.dataset(arguments.data_key, arguments.dataset or fail "--data-key needs --dataset")
  if not dataset then
    fail(why)
  end
  options.gt_sigma_m = options.gt_sigma_m or dataset.gt_sigma_m
  facts = { alt_ref = dataset.alt_ref, yaw_source = dataset.yaw_source, gt_sigma_m = dataset.gt_sigma_m }
end

-- Each source is read once, for however many results.
local tables = {}
local function positions(source, results, which)
  if source == "images" then
    local images = {}
    for _, name in ipairs(results:names(which)) do
      images[#images + 1] = name
    end
    local found, skipped = im.retrieval.image_positions(images)
    for i = 1, math.min(#skipped, 20) do
      io.stderr:write("no position: ", skipped[i].path, ": ", skipped[i].reason, "\n")
    end
    return found
  end
  if not tables[source] then
    local found, why = im.retrieval.positions(source)
    if not found then
      fail(why)
    end
    tables[source] = found
  end
  return tables[source]
end

local MAP_POINTS = 2000
local runs, points, num_queries = {}, {}, 0
for number, path in ipairs(arguments.result) do
  local results, why = im.retrieval.results(result_files(path))
  if not results then
    fail(why)
  end
  local is = results:description()
  if is.num_queries == 0 then
    fail(path .. ": no search results")
  end
  for i = 1, math.min(#is.skipped, 20) do
    io.stderr:write("left out: ", is.skipped[i].path, ": ", is.skipped[i].reason, "\n")
  end
  local query_truth = arguments.query_truth or arguments.truth or fail "where the true positions are is not given: --truth"
  local reference_truth = arguments.reference_truth or arguments.truth
    or fail "where the references are is not given: --reference-truth"
  local evaluation = im.retrieval.evaluate(results, positions(query_truth, results, "queries"),
    positions(reference_truth, results, "references"), options)
  local summary = evaluation:summary()
  local name = ("%s %s %s"):format(summary.weight, summary.mode, summary.direction)
  local folder = #arguments.result == 1 and arguments.out
    or ("%s/%d_%s"):format(arguments.out, number, (name:gsub("[^%w.-]", "_")))
  local saved, message = evaluation:save(folder)
  if not saved then
    fail(message)
  end
  summary.name, summary.dataset = name, next(facts) and facts or nil
  runs[#runs + 1] = summary
  if number == 1 then
    num_queries = #evaluation
    local step = math.max(1, num_queries / MAP_POINTS)
    for i = 1, num_queries, step do
      points[#points + 1] = evaluation:row(math.floor(i))
    end
  end
  for _, warning in ipairs(summary.warnings) do
    io.stderr:write("warning: ", warning, "\n")
  end
  if not arguments.quiet then
    print(("%s: %d queries, %d references"):format(name, #evaluation, summary.num_references))
    for _, metric in ipairs(summary.metrics) do
      local value = metric.value and ("%.6g %s"):format(metric.value, metric.unit) or "-"
      print(("  %-22s %-12s %s"):format(metric.name, value, metric.definition))
    end
  end
  evaluation:close()
  results:close()
end

local data = { runs = runs, points = points, num_queries = num_queries, radius_m = options.radius_m }
if arguments.map then
  local background, why = report.background(arguments.map, 1600)
  if not background then
    fail(why)
  end
  data.background = background
end
report.write(arguments.out .. "/report.html", "Coarse localisation", data)
if not arguments.quiet then
  print(arguments.out .. "/report.html")
end
