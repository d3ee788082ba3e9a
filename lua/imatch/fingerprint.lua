-- What a function depends on, as plain data: its code, the code of the functions it calls, and the constants it has from
-- outside. A sweep's results are kept under the hash of it, so that a changed experiment starts afresh while a changed
-- comment, or another value on an axis, does not.
--
-- Seen are local variables of the script that the function uses: functions (down to those they use themselves), numbers,
-- text, booleans and tables of these; of a table that is only used as `t.name`, the fields used. Not seen are objects (an
-- image, a world), globals, and whatever the function itself writes to, which is its state and not its input. The program's
-- own modules count by the program's version and by the revisions of the stages that the code names (im.revisions).
local util = require "jit.util"

local M = {}

local LIBRARY = debug.getinfo(1, "S").source:gsub("[^/]*$", "")
local MAX_VALUES = 200000

-- ---- Code ------------------------------------------------------------------------------------------------------------

local OPENS = { ["function"] = true, ["if"] = true, ["do"] = true, ["repeat"] = true }
local CLOSES = { ["end"] = true, ["until"] = true }

--- Splits Lua text into tokens, without comments and layout: { {text = , line = }, ... }.
local function tokens_of(text, first_line)
  local tokens, at, line = {}, 1, first_line
  local function take(last)
    local piece = text:sub(at, last)
    tokens[#tokens + 1] = { text = piece, line = line }
    line = line + select(2, piece:gsub("\n", ""))
    at = last + 1
  end
  local function skip(last)
    line = line + select(2, text:sub(at, last):gsub("\n", ""))
    at = last + 1
  end
  local function long_bracket_end(from)
    local level = text:match("^%[(=*)%[", from)
    return level and (select(2, text:find("]" .. level .. "]", from, true)) or #text)
  end
  while at <= #text do
    local char = text:sub(at, at)
    if char:find "%s" then
      skip(select(2, text:find("^%s+", at)))
    elseif text:find("^%-%-", at) then
      skip(long_bracket_end(at + 2) or (text:find("\n", at, true) or #text + 1) - 1)
    elseif char:find "[%a_]" then
      take(select(2, text:find("^[%w_]+", at)))
    elseif text:find("^%.?%d", at) then
      local last = select(2, text:find("^[%w_.]+", at))
      while text:find("^[eEpP]", last) and text:find("^[+-][%w.]", last + 1) do
        last = select(2, text:find("^[+-][%w.]+", last + 1))
      end
      take(last)
    elseif char == '"' or char == "'" then
      local last = at + 1
      while last <= #text and text:sub(last, last) ~= char do
        last = last + (text:sub(last, last) == "\\" and 2 or 1)
      end
      take(math.min(last, #text))
    elseif long_bracket_end(at) then
      take(long_bracket_end(at))
    else
      local _, last = text:find("^[=~<>]=", at)
      take(last or select(2, text:find("^%.+", at)) or at)
    end
  end
  return tokens
end

--- The tokens from the keyword `function` to its `end`. Functions on the same lines cannot be told apart: then all of
--- them are taken.
local function function_tokens(tokens, first_line, last_line)
  local found = {}
  for start, token in ipairs(tokens) do
    if token.text == "function" and token.line == first_line then
      local depth = 0
      for stop = start, #tokens do
        if OPENS[tokens[stop].text] then
          depth = depth + 1
        elseif CLOSES[tokens[stop].text] then
          depth = depth - 1
        end
        if depth == 0 then
          if tokens[stop].line == last_line then
            for i = start, stop do
              found[#found + 1] = tokens[i].text
            end
          end
          break
        end
      end
    end
  end
  return found
end

local function lines_of(path, first, last)
  local file = io.open(path, "r")
  if not file then
    return nil
  end
  local lines, number = {}, 0
  for line in file:lines() do
    number = number + 1
    if number >= first then
      lines[#lines + 1] = line
    end
    if number >= last then
      break
    end
  end
  file:close()
  return table.concat(lines, "\n")
end

--- The compiled form of a function whose text is not to be had. (Not string.dump: it writes the constants of table
--- constructors in an order that changes from run to run.)
local function compiled(fn, out)
  local pc = 0
  while true do
    local instruction = util.funcbc(fn, pc)
    if not instruction then
      break
    end
    out[#out + 1] = ("%x"):format(instruction % 2 ^ 32)
    pc = pc + 1
  end
  local function add_constant(constant)
    if type(constant) == "proto" then
      compiled(constant, out)
    elseif type(constant) == "table" then
      local entries = {}
      for key, value in pairs(constant) do
        entries[#entries + 1] = ("%s=%s"):format(tostring(key), tostring(value))
      end
      table.sort(entries)
      out[#out + 1] = "{" .. table.concat(entries, ";") .. "}"
    elseif type(constant) == "number" then
      out[#out + 1] = ("%.17g"):format(constant)
    else
      out[#out + 1] = tostring(constant)
    end
  end
  for _, step in ipairs { -1, 1 } do -- objects stand at -1, -2, ..., numbers at 0, 1, ...
    local index = step < 0 and -1 or 0
    while util.funck(fn, index) ~= nil do
      add_constant(util.funck(fn, index))
      index = index + step
    end
  end
  return out
end

--- The tokens of a function; for one that came from no file (REPL, -e) its compiled form.
local function code_of(fn)
  local info = debug.getinfo(fn, "S")
  local path = info.source:match "^@(.*)$"
  local text = path and lines_of(path, info.linedefined, info.lastlinedefined)
  local tokens = text and function_tokens(tokens_of(text, info.linedefined), info.linedefined, info.lastlinedefined) or {}
  return #tokens > 0 and tokens or compiled(fn, {})
end

-- ---- What a function writes to ---------------------------------------------------------------------------------------

--- The opcodes of assignments to outer variables, learned from functions that do nothing else.
local ASSIGNS = {}
do
  local outer -- luacheck: ignore
  local probes = {
    function(value) outer = value end,
    function() outer = "text" end,
    function() outer = 1 end,
    function() outer = nil end,
  }
  for _, probe in ipairs(probes) do
    ASSIGNS[bit.band((util.funcbc(probe, 1)), 0xff)] = true
  end
end

--- Names of the outer variables that a function, or one made inside of it, assigns to.
local function assigned_names(fn, names)
  local pc = 1
  while true do
    local instruction = util.funcbc(fn, pc)
    if not instruction then
      break
    end
    if ASSIGNS[bit.band(instruction, 0xff)] then
      names[util.funcuvname(fn, bit.band(bit.rshift(instruction, 8), 0xff))] = true
    end
    pc = pc + 1
  end
  local index = -1
  while true do
    local constant = util.funck(fn, index)
    if constant == nil then
      break
    end
    if type(constant) == "proto" then
      assigned_names(constant, names)
    end
    index = index - 1
  end
  return names
end

--- Adds the names whose elements are assigned to (`t[k] = v`, `t.a.b = v`) or that are given to table.insert and the like.
local function add_filled_names(tokens, names)
  for i, name in ipairs(tokens) do
    local before = tokens[i - 1]
    if name:find "^[%a_][%w_]*$" and before ~= "." and before ~= ":" then
      local at = i + 1
      while tokens[at] == "." or tokens[at] == "[" do
        if tokens[at] == "." then
          at = at + 2
        else
          local depth = 0
          repeat
            depth = depth + (tokens[at] == "[" and 1 or tokens[at] == "]" and -1 or 0)
            at = at + 1
          until depth == 0 or not tokens[at]
        end
      end
      local called = before == "(" and tokens[i - 2]
      if (at > i + 1 and tokens[at] == "=") or called == "insert" or called == "remove" or called == "sort" then
        names[name] = true
      end
    end
  end
end

--- The fields of `name` that the code uses, when it uses nothing but constant fields (`args.map`); nil when it uses the
--- table as a whole (`rows[i]`, `f(settings)`).
local function fields_used(tokens, name)
  local fields = {}
  for i, token in ipairs(tokens) do
    local before = tokens[i - 1]
    if token == name and before ~= "." and before ~= ":" then
      if tokens[i + 1] ~= "." then
        return nil
      end
      fields[tokens[i + 2]] = true
    end
  end
  return next(fields) and fields or nil
end

--- Revisions of the stages that the code names through `name`, a variable that holds the program's library (`im.match`); of
--- all when it uses the library as a whole.
local function stages_used(tokens, name)
  local fields, stages = fields_used(tokens, name), {}
  for stage, revision in pairs(require("imatch.native").revisions()) do
    if not fields or fields[stage] then
      stages[#stages + 1] = stage .. " " .. revision
    end
  end
  table.sort(stages)
  return #stages > 0 and stages or nil
end

-- ---- Values ----------------------------------------------------------------------------------------------------------

local function is_module(value)
  if value == _G then
    return true
  end
  for _, module in pairs(package.loaded) do
    if module == value then
      return true
    end
  end
  return false
end

local describe_function

--- Plain data that stands for the value, or nil when there is none. `fields`: the only ones of a table that count.
local function describe(value, seen, depth, fields)
  local kind = type(value)
  if kind == "number" then
    return (value ~= value or math.abs(value) == math.huge) and tostring(value) or value
  elseif kind == "string" or kind == "boolean" then
    return value
  elseif kind == "function" then
    return describe_function(value, seen)
  elseif kind ~= "table" or depth > 20 or seen[value] or getmetatable(value) ~= nil or is_module(value) then
    return nil
  end
  seen[value] = true
  local entries = {}
  for key, entry in pairs(value) do
    seen.num_values = seen.num_values + 1
    if seen.num_values > MAX_VALUES then
      error(
        ("sweep: the measurement uses tables of more than %d values; name what it depends on in `inputs` and pass the "
          .. "tables through `setup`"):format(MAX_VALUES), 0)
    end
    if (type(key) == "string" or type(key) == "number") and (not fields or fields[key]) then
      local described = describe(entry, seen, depth + 1)
      if described ~= nil then
        entries[#entries + 1] = { type(key) == "string" and "." .. key or ("%.17g"):format(key), described }
      end
    end
  end
  seen[value] = nil
  table.sort(entries, function(a, b)
    return a[1] < b[1]
  end)
  return #entries > 0 and entries or nil
end

function describe_function(fn, seen)
  local info = debug.getinfo(fn, "S")
  if seen[fn] or info.what == "C" then
    return nil
  end
  seen[fn] = true
  local is_library = info.source:sub(1, #LIBRARY) == LIBRARY
  local description, written, tokens = { uses = {} }, {}, {}
  if not is_library then
    tokens = code_of(fn)
    description.code = table.concat(tokens, " ")
    add_filled_names(tokens, assigned_names(fn, written))
  end
  for i = 1, 255 do
    local name, value = debug.getupvalue(fn, i)
    if not name then
      break
    end
    -- A library function (im.memoize) is known by the program's version; what it wraps is not.
    if not written[name] and (not is_library or type(value) == "function") then
      local is_program = not is_library and value == package.loaded.imatch
      local described = is_program and stages_used(tokens, name) or describe(value, seen, 0, fields_used(tokens, name))
      if described ~= nil then
        description.uses[#description.uses + 1] = { name, described }
      end
    end
  end
  if is_library and #description.uses == 0 then
    return nil
  end
  table.sort(description.uses, function(a, b)
    return a[1] < b[1]
  end)
  return description
end

--- Plain data (text, numbers, booleans, tables) that changes when the code or the constants of `fn` do.
---@param fn function
---@return table
function M.of(fn)
  return describe_function(fn, { num_values = 0 }) or {}
end

return M
