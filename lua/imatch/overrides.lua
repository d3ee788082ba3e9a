-- `imatch-lua experiments/x.lua match_th=0.5,0.7 places=5`: words NAME=VALUE on a script's command line take the place of the
-- values of an axis, of simple options of im.sweep, and of what the script hands to im.params.
--
-- Values of axes and `sample`, which choose cells, give a run folder of their own beside the script's, which shares its finished
-- cells: neither plan nor report of the whole sweep becomes smaller by a question about a part of it.
local native = require "imatch.native"

local M = {}

--- Options of im.sweep that a word may replace.
M.OPTIONS = {
  name = "string", out = "string", seed = "number", sample = "number", pictures = "number", max_failures = "number",
  retry_failed = "boolean", durable = "boolean", quiet = "boolean",
}

local used = {} -- names that im.params took
local words -- those of the command line that im.arguments did not take; nil before it has looked

--- Name and text of such a word; nil for any other.
function M.split(word)
  return tostring(word):match "^([%a_][%w_]*)=(.*)$"
end

--- The words of the script's command line: name -> text, and the names in their order.
local function given()
  local texts, names = {}, {}
  for _, word in ipairs(words or _G.arg or {}) do
    local name, text = M.split(word)
    if name then
      texts[name], names[#names + 1] = text, name
    end
  end
  return texts, names
end

--- Takes these words out of a command line, but for values of options. Returns the others.
---@param line string[]
---@param takes_value table<string, boolean> options that a value follows
---@return string[]
function M.take(line, takes_value)
  local kept = {}
  words = {}
  for i, word in ipairs(line) do
    local list = M.split(word) and not takes_value[line[i - 1]] and words or kept
    list[#list + 1] = word
  end
  return kept
end

--- The arguments of the script that may act on what it measures: without what is known to replace only axes and the like, each
--- word of im.params by its name.
---@param replaced table<string, boolean> as of_sweep gives it
---@param all boolean whether the script may read them all
---@return table[] { { name, text }, ... }
function M.acting(replaced, all)
  local list, place = {}, 0
  for _, word in ipairs(_G.arg or {}) do
    local name, text = M.split(word)
    if name and used[name] then
      list[#list + 1] = { name, text }
    elseif all and not (name and replaced[name]) then
      place = place + 1
      list[#list + 1] = { tostring(place), tostring(word) }
    end
  end
  return list
end

local function refuse(name, text, expected)
  native.internal.raise(("%s=%s: expected %s"):format(name, text, expected))
end

--- A text as a value of the same type as the one in the script.
local function converted(name, text, like)
  if type(like) == "number" then
    return tonumber(text) or refuse(name, text, "a number")
  elseif type(like) == "boolean" then
    if text ~= "true" and text ~= "false" then
      refuse(name, text, "true or false")
    end
    return text == "true"
  elseif type(like) == "string" then
    return text
  end
  refuse(name, text, ("no word on the command line: its value in the script is a %s"):format(type(like)))
end

--- One value of an axis: a number or a boolean where the script has such, one of the script's tables by its name, else text.
local function axis_value(name, text, values)
  local has = {}
  for _, value in ipairs(values) do
    has[type(value)] = true
    if type(value) == "table" and (value.label == text or value.name == text) then
      return value
    end
  end
  if has.boolean and (text == "true" or text == "false") then
    return text == "true"
  elseif has.number and tonumber(text) then
    return tonumber(text)
  elseif has.string then
    return text
  end
  refuse(name, text, has.number and "numbers" or has.boolean and "true or false" or "the name of one of its values")
end

--- "0.5,0.7", or for numbers "0:315:45" (from, to, step).
local function axis_values(name, text, values)
  local from, to, step = text:match "^([^:,]+):([^:,]+):([^:,]+)$"
  if tonumber(from) and tonumber(to) and tonumber(step) and type(values[1]) == "number" then
    return require("imatch.range").range(tonumber(from), tonumber(to), tonumber(step))
  end
  local list = {}
  for part in (text .. ","):gmatch "([^,]*)," do
    list[#list + 1] = axis_value(name, part, values)
  end
  return list
end

--- A copy of the table in which the words of the command line stand in for its values.
---@param defaults table<string, number|string|boolean|any[]>
---@return table
function M.params(defaults)
  local texts, result = given(), {}
  for name, value in pairs(defaults) do
    result[name] = value
    if texts[name] then
      used[name] = true
      result[name] = type(value) == "table" and axis_values(name, texts[name], value) or converted(name, texts[name], value)
    end
  end
  return result
end

--- Those of the replaced axes and options that choose other cells than the script's own do: { name = values }, or nil.
---@param replaced table<string, boolean>
---@param options table with the words of the command line in their place
---@param of_script table without
---@return table<string, any>?
function M.chosen(replaced, options, of_script)
  local chosen
  local function add(name, now, before)
    if before == nil or native.run.key { now } ~= native.run.key { before } then
      chosen = chosen or {}
      chosen[name] = now
    end
  end
  for name in pairs(replaced) do
    if of_script.axes and of_script.axes[name] then
      add(name, options.axes[name], of_script.axes[name])
    elseif name == "sample" then
      add(name, options.sample, of_script.sample)
    end
  end
  return chosen
end

local MOST_TOLD = 8

--- " with match_th = 0.5, 0.7": what was chosen, in words; "" where nothing was.
---@param chosen table<string, any>?
---@return string
function M.told(chosen)
  local words_of, names, parts = require "imatch.sweep.words", {}, {}
  for name in pairs(chosen or {}) do
    names[#names + 1] = name
  end
  table.sort(names)
  for i, name in ipairs(names) do
    local values, texts = type(chosen[name]) == "table" and chosen[name] or { chosen[name] }, {}
    for k = 1, math.min(#values, MOST_TOLD) do
      texts[k] = words_of.value(values[k])
    end
    texts[#texts + 1] = #values > MOST_TOLD and ("... (%d values)"):format(#values) or nil
    parts[i] = name .. " = " .. table.concat(texts, ", ")
  end
  return #parts > 0 and " with " .. table.concat(parts, ", ") or ""
end

--- The options of a sweep with the words of the command line in their place, and which of these words replaced something of it;
--- an error for a word that is nothing of the sweep.
---@param options table of im.sweep
---@param reads_arguments boolean whether the script may read its arguments itself: then such a word may be its own
---@return table options
---@return table<string, boolean> axes and options that were replaced
function M.of_sweep(options, reads_arguments)
  local texts, names = given()
  local result, axes, replaced = {}, {}, {}
  if #names == 0 then
    return options, replaced
  end
  for name, value in pairs(options) do
    result[name] = value
  end
  for name, values in pairs(options.axes or {}) do
    axes[name] = values
  end
  for _, name in ipairs(names) do
    if axes[name] then
      axes[name], replaced[name] = axis_values(name, texts[name], axes[name]), true
    elseif M.OPTIONS[name] then
      local like = ({ string = "", number = 0, boolean = false })[M.OPTIONS[name]]
      result[name], replaced[name] = converted(name, texts[name], like), name ~= "seed" or nil
    elseif not used[name] and (words or not reads_arguments) then
      local known = {}
      for _, list in ipairs { axes, used, M.OPTIONS } do
        for known_name in pairs(list) do
          known[#known + 1] = known_name
        end
      end
      table.sort(known)
      native.internal.raise(("%s=%s: the sweep '%s' has no axis, parameter or option of that name%s; there are: %s"):format(name,
        texts[name], tostring(options.name), native.run.nearest(name, known), table.concat(known, ", ")))
    end
  end
  result.axes = options.axes and axes
  return result, replaced
end

M.documentation = {
  params = {
    signature = "params(defaults) -> table",
    text = "Parameters of an experiment: a copy of the table in which words NAME=VALUE of the script's command line replace "
      .. "values of the same type, lists by values with commas. Another value is another experiment, with a run folder of its "
      .. "own. Axes of im.sweep, and its options name, out, seed, sample, pictures and the like, are replaced by such words "
      .. "without it: `imatch-lua x.lua match_th=0.5,0.7 rotation_deg=0:315:45`.",
    example = "local params = im.params { image_size = 336 } -- 448 with `imatch-lua x.lua image_size=448`\n"
      .. "print(params.image_size) --> 336",
  },
}

return M
