-- Configurations as Hydra's users write them: the YAML of mappings and lists by indentation, [a, b], plain and quoted scalars
-- and comments, with ${a.b} filled in. Anything else is refused, with its line. Values that are ??? (to be filled in) are
-- `M.MISSING`, null is `M.NULL`.
local im = require "imatch"

local function word(text)
  return setmetatable({}, { __tostring = function()
    return text
  end })
end

local M = { NULL = word "null", MISSING = word "???" }

local function fail(state, line, text)
  error({ problem = ("%s:%d: %s"):format(state.path, line, text) }, 0)
end

local WORDS = { ["true"] = true, ["false"] = false, null = M.NULL, ["~"] = M.NULL, ["???"] = M.MISSING }

local function scalar(state, line, text)
  local quote = text:match "^(['\"])"
  if quote then
    local inner = text:match("^" .. quote .. "([^" .. quote .. "\\]*)" .. quote .. "$")
    return inner or fail(state, line, "a quoted text that does not end, or has escapes: " .. text)
  elseif text:find "^%[" then
    local inner = text:match "^%[([^%[%]{}]*)%]$" or fail(state, line, "only flat lists are read: " .. text)
    local list = { is_list = true }
    for part in inner:gmatch "[^,]+" do
      list[#list + 1] = scalar(state, line, part:match "^%s*(.-)%s*$")
    end
    return list
  elseif text:find "^[&*!|>{%%@`]" then
    fail(state, line, "this kind of YAML is not read: " .. text)
  elseif WORDS[text] ~= nil then
    return WORDS[text]
  end
  return tonumber(text:find "^[%-+.%d]" and text or nil) or text
end

--- Lines that say something: number, indentation, text.
local function lines_of(state, text)
  local lines, number = {}, 0
  for line in (text .. "\n"):gmatch "(.-)\r?\n" do
    number = number + 1
    if line:find "^%s*\t" then
      fail(state, number, "indented by a tab")
    end
    local content = line:gsub("^(%s*)#.*$", "%1"):gsub("%s#.*$", ""):gsub("%s+$", "")
    if content ~= "" and content ~= "---" then
      lines[#lines + 1] = { number = number, indent = #content:match "^ *", text = content:match "^ *(.*)$" }
    end
  end
  return lines
end

local block

--- What stands behind "key:" or "- ": a scalar, or the lines below that are indented deeper.
local function value_of(state, text, line, indent)
  if text ~= "" then
    return scalar(state, line.number, text)
  end
  local following = state.lines[state.at]
  local is_list_below = following and following.indent == indent and following.text:find "^%-"
  if following and (following.indent > indent or is_list_below) then
    return block(state, following.indent)
  end
  return M.NULL
end

function block(state, indent)
  local result = {}
  while state.lines[state.at] and state.lines[state.at].indent >= indent do
    local line = state.lines[state.at]
    local item = line.text:match "^%-%s*(.*)$"
    local key, rest = line.text:match "^([%w_%-%.]+):%s*(.*)$"
    if line.indent > indent or not (item or key) then
      fail(state, line.number, "expected 'key: value' or '- item' at column " .. indent + 1 .. ": " .. line.text)
    elseif next(result) ~= nil and (item ~= nil) ~= (result.is_list == true) then
      if item == nil or result.is_list then
        break -- a list that stands no deeper than its key has ended
      end
      fail(state, line.number, "a list among keys: " .. line.text)
    end
    state.at = state.at + 1
    if item then
      result.is_list = true
      result[#result + 1] = value_of(state, item, line, indent)
    elseif result[key] ~= nil then
      fail(state, line.number, ("'%s' stands there twice"):format(key))
    else
      result[key] = value_of(state, rest, line, indent)
    end
  end
  return result
end

--- The value at "a.b.c"; nil where there is none.
function M.at(tree, place)
  for name in place:gmatch "[^.]+" do
    tree = type(tree) == "table" and tree[name] or nil
    if tree == nil then
      return nil
    end
  end
  return tree
end

local function filled(state, tree, value, depth)
  if type(value) == "string" and value:find "%${" then
    if depth > 20 then
      error({ problem = ("%s: %s names itself"):format(state.path, value) }, 0)
    end
    local function found(name)
      local there = M.at(tree, name)
      if there == nil then
        error({ problem = ("%s: ${%s} is not there"):format(state.path, name) }, 0)
      end
      return filled(state, tree, there, depth + 1)
    end
    local whole = value:match "^%${([%w_.]+)}$"
    return whole and found(whole) or (value:gsub("%${([%w_.]+)}", function(name)
      return tostring(found(name))
    end))
  elseif type(value) == "table" and value ~= M.NULL and value ~= M.MISSING then
    local copy = {}
    for name, inner in pairs(value) do
      copy[name] = filled(state, tree, inner, depth + 1)
    end
    return copy
  end
  return value
end

--- The tree of a file, or nil and what is wrong with it.
---@param path string
---@return table?, string?
function M.read(path)
  local text, message = im.file.read(path)
  if not text then
    return nil, message
  end
  local state = { path = path, at = 1 }
  local ok, tree = pcall(function()
    state.lines = lines_of(state, text)
    local all = #state.lines > 0 and block(state, state.lines[1].indent) or {}
    if state.lines[state.at] then
      fail(state, state.lines[state.at].number, "not read: " .. state.lines[state.at].text)
    end
    return filled(state, all, all, 0)
  end)
  if ok then
    return tree
  elseif type(tree) == "table" and tree.problem then
    return nil, tree.problem
  end
  error(tree, 0)
end

return M
