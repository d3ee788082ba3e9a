-- imatch-lua search: nearest global vectors between archives of embeddings.
local im = require "imatch"
local archive = require "imatch.coarse.archive"

local DIRECTIONS = {
  ["reference-data"] = { "reference", "data", "reference2db" },
  ["data-reference"] = { "data", "reference", "db2reference" },
  ["reference-reference"] = { "reference", "reference", "reference2reference" },
  ["data-data"] = { "data", "data", "db2db" },
}
for _, old in ipairs { "reference-data", "data-reference", "reference-reference" } do
  DIRECTIONS[old:gsub("reference", "query")] = DIRECTIONS[old]
end

local parser = im.arguments("imatch-lua search",
  "Searches the global vectors of one archive for those of another, for every alias that both have, and writes one JSON file a "
    .. "query: <out>/<alias>/<direction>/<vector file>_<direction>_top<k>.json. Vectors are scaled to length one; scores are "
    .. "their inner products.")
parser:option("--direction", "reference-data, data-reference, reference-reference, data-data: the first searches the second")
  :default "reference-data":count "*"
parser:option("--data-root", "embeddings of the data (default: $RAW_EMBED_ROOT; for a variant $VARIANT_DB_BASE)")
parser:option("--reference-root",
  "embeddings of the references (default: $RAW_REFERENCE_ROOT; for a variant $VARIANT_REFERENCE_BASE)")
parser:option("--out", "where results go (default: $FAISS_OUT_ROOT, else faiss_out)")
parser:option("--weight", "alias; may be given again (default: all)"):count "*"
parser:option("--variant", "raw or sub<stride>"):default "raw"
parser:option("-k", "neighbours a query"):default "10":convert(tonumber)
parser:option("--factory", "FAISS's factory string: Flat, IVF256,Flat, HNSW32, IVF256,PQ32, SQ8 ..."):default "Flat"
parser:option("--parameters", "of the search, such as nprobe=16 or efSearch=64")
parser:option("--backend", "faiss, or exact: LibTorch, also on a GPU"):choices { "faiss", "exact" }:default "faiss"
parser:option("--device", "of the exact backend"):default "auto"
parser:option("--metric", "inner_product or l2"):choices { "inner_product", "l2" }:default "inner_product"
parser:option("--index", "folder for .faiss files: written there, and read while they fit the archive")
parser:flag("--memory-mapped", "leave the vectors of such a file on the disk")
parser:flag("--aggregate", "one JSON file an alias instead of one a query")
parser:flag("--redis-json", "also write the row for Redis beside each query, as ..._redis.json")
parser:option("--redis", "push each row there: redis://[:password@]host[:port][/db], rediss:// for TLS")
parser:option("--redis-prefix", "of the keys"):default "coarse"
parser:option("--redis-ttl", "seconds that a key lives; 0: for ever"):default "0":convert(tonumber)
parser:option("--redis-password", "(default: $REDIS_PASSWORD)")
parser:option("--redis-ca", "file of certificates for TLS (default: the system's)")
parser:flag("--redis-insecure", "do not check the server's certificate")
parser:option("--redis-buffer", "file that holds rows while the server is away (default: <out>/redis_buffer)")
parser:option("--redis-buffer-mb", "its largest size"):default "256":convert(tonumber)
local arguments = parser:parse { ... }

local function fail(message)
  io.stderr:write("imatch-lua search: ", message, "\n")
  os.exit(1)
end

local is_raw = arguments.variant == "raw"
local roots = {
  data = arguments.data_root or os.getenv(is_raw and "RAW_EMBED_ROOT" or "VARIANT_DB_BASE"),
  reference = arguments.reference_root or os.getenv(is_raw and "RAW_REFERENCE_ROOT" or "VARIANT_REFERENCE_BASE"),
}
local out = arguments.out or os.getenv "FAISS_OUT_ROOT" or "faiss_out"
local directions = type(arguments.direction) == "table" and arguments.direction or { arguments.direction }
if #directions == 0 then
  directions = { "reference-data" }
end
for _, name in ipairs(directions) do
  if not DIRECTIONS[name] then
    parser:error(("option '--direction': '%s' is not known; expected reference-data, data-reference, reference-reference or "
      .. "data-data"):format(name))
  end
end
if not arguments.k or arguments.k < 1 or arguments.k % 1 ~= 0 then
  parser:error "option '-k': expected an integer >= 1"
end

-- Each archive is listed once, and each alias of it read once, however many directions use it.
local listed, loaded = {}, {}

local function list(side)
  if not listed[side] then
    if not roots[side] then
      fail(("where the embeddings of the %s lie is not given: --%s-root"):format(side == "data" and "data" or "references", side))
    end
    local by_alias, why = archive.find(roots[side], arguments.variant)
    if not by_alias then
      fail(why)
    end
    listed[side] = by_alias
  end
  return listed[side]
end

local num_skipped = 0

local function vectors(side, alias)
  local key = side .. "\0" .. alias
  if not loaded[key] then
    local set = im.coarse.vectors(list(side)[alias])
    for _, skipped in ipairs(set:skipped()) do
      local named = skipped.reason:find(skipped.path, 1, true) and "" or skipped.path .. ": "
      io.stderr:write("left out: ", named, skipped.reason, "\n")
      num_skipped = num_skipped + 1
    end
    loaded[key] = set
  end
  return loaded[key]
end

local function same_list(a, b)
  if type(a) ~= "table" or #a ~= #b then
    return false
  end
  for i = 1, #a do
    if a[i] ~= b[i] then
      return false
    end
  end
  return true
end

--- The index over a set, and the time it took, ms.
local function index_of(set, side, alias)
  local start = im.now()
  local function since()
    return (im.now() - start) * 1000
  end
  if arguments.backend == "exact" then
    return im.index.exact(set:tensor(), { metric = arguments.metric, device = arguments.device, source = set:source() }), since()
  end
  local path = arguments.index and ("%s/%s_%s_%s.faiss"):format(arguments.index, alias, arguments.variant, side)
  local index
  if path and im.run.is_path(path) and same_list(im.io.read_json(path .. ".paths.json"), set:paths()) then
    local why
    index, why = im.index.load(path, { memory_mapped = arguments.memory_mapped })
    if not index then
      fail(why)
    end
    local is = index:description()
    if is.factory ~= arguments.factory or is.metric ~= arguments.metric then
      index = nil
    end
  end
  if not index then
    local wanted = { factory = arguments.factory, metric = arguments.metric, source = set:source() }
    index = im.index.new(set:tensor():shape()[2], wanted)
    index:add(set:tensor())
    if path then
      assert(index:save(path))
      assert(im.io.write_json(path .. ".paths.json", set:paths()))
      if arguments.memory_mapped then
        index = assert(im.index.load(path, { memory_mapped = true }))
      end
    end
  end
  if arguments.parameters then
    index:set_parameters(arguments.parameters)
  end
  return index, since()
end

local redis
if arguments.redis then
  local why
  redis, why = im.redis.open(arguments.redis, {
    prefix = arguments.redis_prefix, ttl_s = arguments.redis_ttl,
    password = arguments.redis_password or os.getenv "REDIS_PASSWORD" or "",
    ca_file = arguments.redis_ca, verify = not arguments.redis_insecure,
    buffer = arguments.redis_buffer or out .. "/redis_buffer", buffer_mb = arguments.redis_buffer_mb,
  })
  if not redis then
    fail(why)
  end
end

local indexes, num_searched = {}, 0
for _, name in ipairs(directions) do
  local from, to, label = unpack(DIRECTIONS[name])
  local aliases = #arguments.weight > 0 and arguments.weight or archive.aliases(list(from))
  for _, alias in ipairs(aliases) do
    if not list(from)[alias] or not list(to)[alias] then
      local root = roots[list(from)[alias] and to or from]
      io.stderr:write(("%s: '%s' has no %s vectors below %s\n"):format(name, alias, arguments.variant, root))
    else
      local queries, base = vectors(from, alias), vectors(to, alias)
      if #queries == 0 or #base == 0 then
        io.stderr:write(("%s: '%s': none of its vectors can be used\n"):format(name, alias))
      else
        local key = to .. "\0" .. alias
        indexes[key] = indexes[key] or { index_of(base, to, alias) }
        local index, index_build_ms = unpack(indexes[key])
        local start = im.now()
        local scores, ids = index:search(queries:tensor(), { k = arguments.k, source = queries:source() })
        local search_ms = (im.now() - start) * 1000 / #queries
        local facts = {
          weight = alias, mode = arguments.variant, direction = label, backend = arguments.backend, metric = arguments.metric,
          k = arguments.k, index_build_ms = index_build_ms, search_ms = search_ms,
        }
        local ok, why
        if arguments.aggregate then
          local path = ("%s/%s_%s_%s_top%d.json"):format(out, alias, arguments.variant, label, arguments.k)
          ok, why = im.coarse.write_aggregate(path, queries, base, scores, ids, facts)
        else
          local folder = ("%s/%s/%s"):format(out, alias, label)
          ok, why = im.coarse.write_results(folder, queries, base, scores, ids, facts, arguments.redis_json)
        end
        if not ok then
          fail(why)
        end
        if redis then
          redis:push_results(queries, base, scores, ids, facts)
        end
        num_searched = num_searched + #queries
        print(("%s %s %s: %d queries in %d, index %.1f ms, search %.4f ms a query"):format(alias, arguments.variant, label,
          #queries, #base, index_build_ms, search_ms))
      end
    end
  end
end
if redis then
  local counts, why = redis:finish()
  if not counts then
    fail(why)
  end
  print(("redis: %d pushed, %d wait in %s"):format(counts.pushed, counts.waiting, counts.buffer))
end
if num_searched == 0 then
  fail "nothing was searched"
end
if num_skipped > 0 then
  io.stderr:write(("%d vectors were left out\n"):format(num_skipped))
end
