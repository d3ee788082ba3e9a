-- What the cells of a sweep depend on besides their parameters: everything that the script has read before it sweeps.
--
-- Counted are the text of the script and of every module and file of code that it loaded, the data files that it read, its
-- arguments where its code may use them, the environment variables that it asked for, the revisions of the program's stages,
-- and `inputs`. Any change measures anew, also that of a comment: simple, and never stale. Left out of the text is what
-- stands in a call of im.sweep itself and does not act on a measurement: `axes`, since each cell has its own values, and
-- what only chooses cells or shows results. So another value on an axis runs the new cells only.
--
-- What `setup` and `measure` read is known only once they have run: it is kept with the worker that ran them, and a worker's
-- cells are measured anew when any of it has changed (stale_workers). What is part of a cell's key already (files that
-- parameters or `inputs` name) is left out of that.
--
-- A measurement that belongs to the library itself (imatch-lua localize) says in `inputs` all that it depends on.
local folder = require "imatch.sweep.folder"
local native = require "imatch.native"
local overrides = require "imatch.overrides"

local M = {}

local LIBRARY = debug.getinfo(1, "S").source:gsub("sweep/[^/]*$", "")

-- Names through which code comes at the arguments of the program.
local READS_ARGUMENTS = {
  arg = true, ["..."] = true, arguments = true, parse = true, pparse = true, settings = true, _G = true, getfenv = true,
  debug = true,
}

-- Options of im.sweep that do not act on what a cell measures.
local LEFT_OUT = { axes = true, order = true, sample = true, best = true, report = true, pictures = true,
  answer = true }

-- ---- The text of a script ------------------------------------------------------------------------------------------------

local OPENS = { ["{"] = true, ["("] = true, ["["] = true, ["function"] = true, ["if"] = true, ["do"] = true, ["repeat"] = true }
local CLOSES = { ["}"] = true, [")"] = true, ["]"] = true, ["end"] = true, ["until"] = true }

--- The end of the long bracket ([[...]], [==[...]==]) that begins at `at`; nil when none does.
local function long_bracket_end(text, at)
  local level = text:match("^%[(=*)%[", at)
  return level and (select(2, text:find("]" .. level .. "]", at, true)) or #text)
end

--- First and last position of the token at or after `at`, comments and layout skipped; nil at the end.
local function token_at(text, at)
  while true do
    at = text:find("%S", at)
    if not at then
      return nil
    elseif not text:find("^%-%-", at) then
      break
    end
    at = (long_bracket_end(text, at + 2) or (text:find("\n", at, true) or #text)) + 1
  end
  local quote = text:match("^[\"']", at)
  if quote then
    local last = at + 1
    while last < #text and text:sub(last, last) ~= quote do
      last = last + (text:sub(last, last) == "\\" and 2 or 1)
    end
    return at, last
  end
  return at, long_bracket_end(text, at) or select(2, text:find("^[%w_]+", at)) or select(2, text:find("^[=~<>]=", at))
    or select(2, text:find("^%.%.%.", at)) or at
end

--- The text without the values of LEFT_OUT in calls of im.sweep (a value that has a function in it stays), and whether it
--- may read the arguments of the program.
---@param text string
---@return string
---@return boolean
function M.text_that_acts(text)
  local kept, copied, reads_arguments = {}, 1, false
  local before, depth, calls = { "", "", "", "" }, 0, {} -- calls[depth]: the options of an im.sweep lie there
  local field -- { depth, first position of its value, whether it has a function }
  local first, last = token_at(text, 1)
  while first do
    local token = text:sub(first, last)
    local ends_field = field and depth == field.depth and (token == "," or token == ";" or token == "}")
    if ends_field then
      if field.acts then
        reads_arguments = reads_arguments or field.reads_arguments
      else
        kept[#kept + 1] = text:sub(copied, field.first - 1)
        copied = first
      end
      field = nil
    end
    if CLOSES[token] then
      calls[depth] = nil
      depth = depth - 1
    elseif OPENS[token] then
      depth = depth + 1
      local name = before[4] == "(" and { before[1], before[2], before[3] } or { before[2], before[3], before[4] }
      calls[depth] = token == "{" and table.concat(name) == "im.sweep" or nil
    end
    if field then
      field.acts = field.acts or token == "function"
      field.reads_arguments = field.reads_arguments or READS_ARGUMENTS[token]
    elseif token == "=" and calls[depth] and LEFT_OUT[before[4]] and before[3]:find "^[{,;]$" then
      field = { depth = depth, first = last + 1 }
    elseif READS_ARGUMENTS[token] then
      reads_arguments = true
    end
    before = { before[2], before[3], before[4], token }
    first, last = token_at(text, last + 1)
  end
  kept[#kept + 1] = text:sub(copied)
  return table.concat(kept), reads_arguments
end

--- The hash of a file of code, without what does not act, and whether it may read the program's arguments.
local function code_hash(input)
  local file = io.open(input.name, "rb")
  local text = file and file:read "*a" or ""
  if file then
    file:close()
  end
  if native.inputs.sha256(text) ~= input.sha256 then
    return input.sha256, true -- edited since it was loaded: what runs is what was read then
  end
  local acting, reads_arguments = M.text_that_acts(text)
  return native.inputs.sha256(acting), reads_arguments
end

-- ---- The list ------------------------------------------------------------------------------------------------------------

--- Whether a measurement belongs to the library itself.
function M.is_of_library(fn)
  return debug.getinfo(fn, "S").source:sub(1, #LIBRARY) == LIBRARY
end

--- The files of code that the script has loaded: { { name, text, reads_arguments }, ... }, as they are now.
function M.code()
  local list = {}
  for _, input in ipairs(native.inputs.list()) do
    local file = input.kind == "code" and input.sha256 ~= "absent" and io.open(input.name, "rb")
    if file then
      local text = file:read "*a"
      file:close()
      list[#list + 1] = { name = input.name, text = text, reads_arguments = select(2, M.text_that_acts(text)) }
    end
  end
  return list
end

--- Whether any of it may read the program's arguments.
function M.reads_arguments()
  for _, file in ipairs(M.code()) do
    if file.reads_arguments then
      return true
    end
  end
  return false
end

--- Sweeps of each name that this process has begun: between two of them a script may have changed its variables.
M.num_begun = {}

--- { { kind, name, hash }, ... } of a sweep. `own`: `inputs` of its options, resolved.
---@param options table of im.sweep
---@param own any
---@param seed integer
---@param replaced table<string, boolean> what the command line replaced, as overrides.of_sweep gives it
---@return table[]
function M.of(options, own, seed, replaced)
  local list = {}
  local function add(kind, name, hash)
    list[#list + 1] = { kind = kind, name = name, hash = hash }
  end
  if not M.is_of_library(options.measure) then
    local arguments_act = false
    for _, input in ipairs(native.inputs.list()) do
      if input.kind == "code" and input.sha256 ~= "absent" then
        local hash, reads_arguments = code_hash(input)
        add("file", input.name, hash)
        arguments_act = arguments_act or reads_arguments
      elseif input.sha256 == "changed" then
        add("file", input.name, native.inputs.sha256(tostring(os.time()) .. native.now()))
      else
        add(({ environment = "environment variable", text = "code of" })[input.kind] or "file", input.name, input.sha256)
        arguments_act = arguments_act or input.kind == "text"
      end
    end
    for _, argument in ipairs(overrides.acting(replaced, arguments_act)) do
      add("argument", argument[1], native.inputs.sha256(argument[2]))
    end
    M.num_begun[options.name] = (M.num_begun[options.name] or 0) + 1
    add("the sweep's", "number in the script", tostring(M.num_begun[options.name]))
    -- The library asks for it on behalf of the script.
    add("environment variable", "WEIGHTS_ROOT", native.inputs.sha256(os.getenv "WEIGHTS_ROOT" or ""))
  end
  local stages = {}
  for stage in pairs(native.revisions()) do
    stages[#stages + 1] = stage
  end
  table.sort(stages)
  for _, stage in ipairs(stages) do
    add("stage", stage, tostring(native.revisions()[stage]))
  end
  add("the sweep's", "inputs", native.run.key { own })
  add("the sweep's", "seed", tostring(seed))
  return list
end

--- What the results are kept under: of files the content counts, wherever they lie.
function M.identity(list)
  local hashes = {}
  for i, input in ipairs(list) do
    local is_file = input.kind == "file"
    hashes[i] = { input.kind, is_file and "" or input.name, input.hash }
  end
  return hashes
end

--- The workers of run folders whose cells cannot be used any more, since something that they read while they measured (or
--- in `setup`) is no longer as it was, and what that is.
---@param paths string[] the run folders
---@return string[] workers
---@return string[] changed "table.json changed", ...
function M.stale_workers(paths)
  local workers, changed, now, files = {}, {}, {}, {}
  for _, path in ipairs(paths) do
    for _, name in ipairs(native.file.list(path .. "/workers", { extensions = { "json" } }) or {}) do
      files[#files + 1] = path .. "/workers/" .. name
    end
  end
  for _, file in ipairs(files) do
    local session, is_stale = folder.provenance(file), false
    for _, input in ipairs(session.inputs_of_cells or {}) do
      local key = input.kind .. " " .. input.name
      now[key] = now[key] or native.inputs.now(input.kind, input.name)
      if now[key] ~= input.sha256 then
        is_stale = true
        if not changed[key] then
          changed[key] = true
          changed[#changed + 1] = (input.kind == "environment" and "environment variable " or "") .. input.name .. " changed"
        end
      end
    end
    if is_stale then
      workers[#workers + 1] = session.worker
    end
  end
  return workers, changed
end

--- How one list differs from an earlier one: "mymod.lua changed, argument 2 changed"; "" when it does not.
---@param now table[]
---@param before table[]
---@return string
function M.difference(now, before)
  local function by_name(list)
    local hashes, order = {}, {}
    for _, input in ipairs(list) do
      local name = input.kind == "file" and input.name or input.kind .. " " .. input.name
      if not hashes[name] then
        order[#order + 1] = name
      end
      hashes[name] = (hashes[name] or "") .. input.hash -- a file may have been read twice, differently
    end
    return hashes, order
  end
  local hashes, order = by_name(now)
  local earlier, earlier_order = by_name(before)
  local found = {}
  for _, name in ipairs(order) do
    if not earlier[name] then
      found[#found + 1] = name .. " is new"
    elseif earlier[name] ~= hashes[name] then
      found[#found + 1] = name .. " changed"
    end
  end
  for _, name in ipairs(earlier_order) do
    if not hashes[name] then
      found[#found + 1] = name .. " is gone"
    end
  end
  return table.concat(found, ", ")
end

return M
