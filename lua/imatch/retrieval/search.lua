-- Searches between two archives of embeddings: each is listed once, each alias of it read once and each index made once,
-- however many directions use them.
local archive = require "imatch.retrieval.archive"
local native = require "imatch.native"

local M = {}

--- What is searched for what, and the name that this has in the results.
M.DIRECTIONS = {
  ["reference-data"] = { from = "reference", to = "data", label = "reference2db" },
  ["data-reference"] = { from = "data", to = "reference", label = "db2reference" },
  ["reference-reference"] = { from = "reference", to = "reference", label = "reference2reference" },
  ["data-data"] = { from = "data", to = "data", label = "db2db" },
}
for _, old in ipairs { "reference-data", "data-reference", "reference-reference", "data-data" } do
  M.DIRECTIONS[old:gsub("reference", "query")] = M.DIRECTIONS[old]
  M.DIRECTIONS[M.DIRECTIONS[old].label] = M.DIRECTIONS[old] -- as folders and results call it
end

--- Two of these directions whose queries are the same, and so the names of their files; nil where there are none.
---@param directions string[]
function M.clash(directions)
  local by_side = {}
  for _, name in ipairs(directions) do
    local way = M.DIRECTIONS[name]
    local other = by_side[way.from]
    if other and M.DIRECTIONS[other] ~= way then
      return other, name
    end
    by_side[way.from] = name
  end
end

--- Names of the directions, sorted.
function M.directions()
  local names = {}
  for name in pairs(M.DIRECTIONS) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

local Search = {}
Search.__index = Search

--- A search over the archives `settings.roots.data` and `.reference`. `skipped` is called for each vector file left out.
--- Returns nil and a message where one of the directions asks for an archive whose root is not given.
---@param settings table directions, roots, variant (nil: raw), global (nil: the usual one), backend, metric, device, factory,
---  parameters, index_folder, memory_mapped, k
---@param skipped fun(path: string, reason: string)
function M.new(settings, skipped)
  for _, direction in ipairs(settings.directions) do
    local way = M.DIRECTIONS[direction]
    local side = not settings.roots[way.from] and way.from or way.to
    if not settings.roots[side] then
      return nil, ("where the embeddings of the %s lie is not given: --%s-root"):format(side == "data" and "data" or "references",
        side)
    end
  end
  return setmetatable({
    settings = settings, skipped = skipped, kind = archive.kind(settings.global), variant = settings.variant or "raw",
    mode = (settings.variant or "raw") .. (settings.global and "_" .. settings.global or ""),
    lists = {}, find_ms = {}, num_others = {}, sets = {}, indexes = {},
  }, Search)
end

--- Files of a side by alias; nil and a message where they cannot be listed.
function Search:list(side)
  if not self.lists[side] then
    local start = native.now()
    local by_alias, others = archive.find(self.settings.roots[side], self.kind, self.variant)
    if not by_alias then
      return nil, others
    end
    self.find_ms[side] = (native.now() - start) * 1000
    self.lists[side], self.num_others[side] = by_alias, others
  end
  return self.lists[side]
end

--- The vectors of an alias of a side.
function Search:vectors(side, alias)
  local key = side .. "\0" .. alias
  if not self.sets[key] then
    self.sets[key] = native.retrieval.vectors(self:list(side)[alias], self.find_ms[side])
    for _, file in ipairs(self.sets[key]:skipped()) do
      self.skipped(file.path, file.reason)
    end
  end
  return self.sets[key]
end

local function is_same_list(a, b)
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

--- The index in a file, where it is there and fits the vectors and the settings.
function Search:saved_index(path, set)
  local settings = self.settings
  if not native.file.exists(path) or not is_same_list(native.io.read_json(path .. ".paths.json"), set:paths()) then
    return nil
  end
  local index, message = native.index.load(path, { memory_mapped = settings.memory_mapped })
  if not index then
    return nil, message
  end
  local is = index:description()
  return is.factory == settings.factory and is.metric == settings.metric and index or nil
end

function Search:new_index(path, set)
  local settings = self.settings
  local index = native.index.new(set:tensor():shape()[2],
    { factory = settings.factory, metric = settings.metric, source = set:source() })
  index:add(set:tensor())
  if path then
    assert(index:save(path))
    assert(native.io.write_json(path .. ".paths.json", set:paths()))
  end
  if path and settings.memory_mapped then
    return assert(native.index.load(path, { memory_mapped = true }))
  end
  return index
end

--- The index over the vectors of an alias; nil and a message when its file cannot be read.
function Search:make_index(side, alias)
  local settings, set = self.settings, self:vectors(side, alias)
  if settings.backend == "exact" then
    return native.index.exact(set:tensor(), { metric = settings.metric, device = settings.device, source = set:source() })
  end
  local path, index, message
  if settings.index_folder then
    path, message = native.file.below(settings.index_folder, ("%s_%s_%s.faiss"):format(alias, self.mode, side))
    if not path then
      return nil, message
    end
  end
  if path then
    index, message = self:saved_index(path, set)
    if message then
      return nil, message
    end
  end
  index = index or self:new_index(path, set)
  if settings.parameters then
    index:set_parameters(settings.parameters)
  end
  return index
end

--- The index over the vectors of an alias and the time it took to make, ms.
function Search:index(side, alias)
  local key = side .. "\0" .. alias
  if not self.indexes[key] then
    local start = native.now()
    local index, message = self:make_index(side, alias)
    if not index then
      return nil, message
    end
    self.indexes[key] = { index, (native.now() - start) * 1000 }
  end
  return unpack(self.indexes[key])
end

--- What one should know of a search that was done: vectors that took no part although no variant was chosen, and those that may
--- not belong together.
function Search:warnings(direction, alias)
  local way, list = M.DIRECTIONS[direction], {}
  local queries, base = self:vectors(way.from, alias), self:vectors(way.to, alias)
  local others = { self.num_others[way.to][alias] or 0, self.num_others[way.from][alias] or 0 }
  if not self.settings.variant and others[1] + others[2] > 0 then
    list[1] = ("%s: %d vectors of other variants are not searched, and %d not searched for; --variant all takes them"):format(
      alias, others[1], others[2])
  end
  for _, difference in ipairs(assert(native.retrieval.differences(queries, base))) do
    list[#list + 1] = ("%s: vectors made differently are compared: %s"):format(alias, difference)
  end
  return list
end

--- Searches the vectors of an alias in one direction: { queries, base, scores, ids, facts }; nil and why it cannot be done.
--- `is_fatal` comes third where nothing else could be done either.
function Search:run(direction, alias)
  local way, settings = M.DIRECTIONS[direction], self.settings
  for _, side in ipairs { way.from, way.to } do
    local by_alias, message = self:list(side)
    if not by_alias then
      return nil, message, true
    elseif not by_alias[alias] then
      return nil, ("%s: '%s' has no %s vectors %s_... below %s"):format(direction, alias, self.variant, self.kind,
        settings.roots[side])
    end
  end
  local queries, base = self:vectors(way.from, alias), self:vectors(way.to, alias)
  if #queries == 0 or #base == 0 then
    return nil, ("%s: '%s': none of its vectors can be used"):format(direction, alias)
  end
  local is_comparable, why_not = native.retrieval.differences(queries, base)
  if not is_comparable then
    return nil, ("%s: '%s': %s"):format(direction, alias, why_not)
  end
  local index, index_build_ms = self:index(way.to, alias)
  if not index then
    return nil, index_build_ms, true
  end
  local start = native.now()
  local scores, ids = index:search(queries:tensor(), { k = settings.k, source = queries:source() })
  return {
    queries = queries, base = base, scores = scores, ids = ids,
    facts = {
      weight = alias, mode = self.mode, direction = way.label, backend = settings.backend, metric = settings.metric,
      index_root = settings.roots[way.to], search_root = settings.roots[way.from],
      device = settings.backend == "exact" and settings.device ~= "auto" and settings.device or "cpu",
      k = settings.k, index_build_ms = index_build_ms, search_ms = (native.now() - start) * 1000 / #queries,
    },
  }
end

return M
