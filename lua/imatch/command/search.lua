-- imatch-lua search: nearest global vectors between archives of embeddings.
local archive = require "imatch.retrieval.archive"
local cli = require "imatch.cli"
local im = require "imatch"
local redis_rows = require "imatch.retrieval.redis"
local search = require "imatch.retrieval.search"

local parser = cli.command("search",
  "Searches the global vectors of one archive for those of another, for every alias that both have, and writes one JSON file a "
    .. "query: <out>/<alias>_<variant>/<vector file>_top<k>.json. Vectors are scaled to length one; scores are "
    .. "their inner products.")
parser:option("--direction", "the first is searched for in the second; may be given again (default: reference-data)")
  :count("*"):choices(search.directions())
parser:option("--data-root", "embeddings of the data (default: $RAW_EMBED_ROOT; for a variant $VARIANT_DB_BASE)")
parser:option("--reference-root",
  "embeddings of the references (default: $RAW_REFERENCE_ROOT; for a variant $VARIANT_REFERENCE_BASE)")
cli.option(parser, "--out", "where results go", { "FAISS_OUT_ROOT" }, "faiss_out")
parser:option("--weight", "alias; may be given again (default: all)"):count "*"
parser:option("--variant", "raw (the default), sub<stride>, or all: every global vector of an alias in one index")
parser:option("--global", "vectors of another kind, as embed writes with --set global=NAME: class for GlobalClass_...")
parser:option("-k", "neighbours a query"):default "10":convert(cli.integer(1))
parser:option("--factory", "FAISS's factory string: Flat, IVF256,Flat, HNSW32, IVF256,PQ32, SQ8 ..."):default "Flat"
parser:option("--parameters", "of the search, such as nprobe=16 or efSearch=64")
parser:option("--backend", "faiss, or exact: LibTorch, also on a GPU"):choices { "faiss", "exact" }:default "faiss"
parser:option("--metric", "inner_product or l2"):choices { "inner_product", "l2" }:default "inner_product"
parser:option("--index", "folder for .faiss files: written there, and read while they fit the archive")
parser:flag("--memory-mapped", "leave the vectors of such a file on the disk")
parser:flag("--aggregate", "one JSON file an alias instead of one a query: <out>/<alias>_<variant>_<direction>_top<k>.json")
parser:flag("--redis-json", "also write each row for Redis: <out>/<alias>_<variant>_<direction>/..._redis.json")
redis_rows.options(parser)
local arguments = parser:parse { ... }

local is_raw = not (arguments.variant or "raw"):find "^sub"
local directions = #arguments.direction > 0 and arguments.direction or { "reference-data" }
local first, second = search.clash(directions)
if first and not arguments.aggregate then
  parser:error(("--direction: %s and %s write files of the same names; search them one after another, each with an --out, or "
    .. "with --aggregate"):format(first, second))
end
local num_skipped = 0
local job, missing_root = search.new({
  roots = {
    data = arguments.data_root or cli.environment(is_raw and "RAW_EMBED_ROOT" or "VARIANT_DB_BASE"),
    reference = arguments.reference_root or cli.environment(is_raw and "RAW_REFERENCE_ROOT" or "VARIANT_REFERENCE_BASE"),
  },
  variant = arguments.variant, global = arguments.global, k = arguments.k, backend = arguments.backend, metric = arguments.metric,
  device = im.settings().device, factory = arguments.factory, parameters = arguments.parameters, index_folder = arguments.index,
  memory_mapped = arguments.memory_mapped, directions = directions,
}, function(path, reason)
  io.stderr:write("left out: ", reason:find(path, 1, true) and "" or path .. ": ", reason, "\n")
  num_skipped = num_skipped + 1
end)
if not job then
  parser:error(missing_root)
end
local redis = redis_rows.open(arguments)

local function write(found)
  local facts = found.facts
  if arguments.aggregate then
    cli.checked(im.retrieval.write_aggregate(arguments.out, found.queries, found.base, found.scores, found.ids, facts))
  else
    cli.checked(im.retrieval.write_results(arguments.out, found.queries, found.base, found.scores, found.ids, facts,
      arguments.redis_json))
  end
  if redis then
    redis_rows.push(redis, found.queries, found.base, found.scores, found.ids, facts)
  end
  print(("%s %s %s: %d queries in %d, index %.1f ms, search %.4f ms a query"):format(facts.weight, facts.mode, facts.direction,
    #found.queries, #found.base, facts.index_build_ms, facts.search_ms))
end

local num_searched = 0
for _, direction in ipairs(directions) do
  local by_alias = cli.checked(job:list(search.DIRECTIONS[direction].from))
  for _, alias in ipairs(#arguments.weight > 0 and arguments.weight or archive.aliases(by_alias)) do
    local found, message, is_fatal = job:run(direction, alias)
    if found then
      for _, warning in ipairs(job:warnings(direction, alias)) do
        cli.warn(warning)
      end
      write(found)
      num_searched = num_searched + #found.queries
    elseif is_fatal then
      cli.fail(message)
    else
      io.stderr:write(message, "\n")
    end
  end
end
local has_arrived = not redis or redis_rows.finish(redis)
if num_searched == 0 then
  cli.fail "nothing was searched"
end
if num_skipped > 0 then
  io.stderr:write(("%d vectors were left out\n"):format(num_skipped))
end
if not has_arrived then
  os.exit(1)
end
