-- What may stand inside of a call that is being typed: options of the function and of the backbone that it names, names of
-- backbones, and values that an option allows. The session's Tab asks (host/completion.cpp).
local doc = require "imatch.doc"
local native = require "imatch.native"

local M = {}

--- Names of the parameters, in order, of "backbone.features(images, backbone [, options]) -> Features".
local function parameters(entry)
  local names = {}
  for name in (entry.signature:match "%b()" or ""):gmatch "[%a_][%w_]*" do
    names[#names + 1] = name
  end
  return names
end

--- Which of the function's arguments is the name of a backbone; nil for none.
local function backbone_argument(entry)
  for i, name in ipairs(parameters(entry)) do
    if name == "backbone" or name == "spec" or (name == "name" and entry.name:find "^backbone%.") then
      return i
    end
  end
end

local function is_backbone(name)
  for _, known in ipairs(native.backbone.list()) do
    if known == name then
      return true
    end
  end
  return false
end

--- The options of the backbone that a text of arguments names in quotes; none where it names none.
local function backbone_options(text)
  for literal in text:gmatch "[\"']([^\"']*)[\"']" do
    local name = literal:match "^%S+"
    if name and is_backbone(name) then
      return native.backbone.describe(name).options
    end
  end
  return {}
end

--- Options that the function takes, those of a backbone named among its arguments included.
---@param fn function
---@param arguments string what stands in the call before
---@return string[]
function M.options(fn, arguments)
  local entry = doc.entry_of(fn)
  if not entry then
    return {}
  end
  local names, is_there = {}, {}
  local function add(options)
    for _, option in ipairs(options or {}) do
      if not is_there[option.name] then
        names[#names + 1], is_there[option.name] = option.name, true
      end
    end
  end
  add(entry.options)
  if backbone_argument(entry) then
    add(backbone_options(arguments))
  end
  table.sort(names)
  return names
end

--- The options of a whole specification, "efficientnet_lite0 st": as words that replace all of it.
local function specification(typed)
  local head, name = typed:match "^((%S+)%s.-)%S*$"
  if not head or not is_backbone(name) then
    return native.backbone.list()
  end
  local words = {}
  for i, option in ipairs(native.backbone.describe(name).options) do
    words[i] = head .. option.name .. "="
  end
  return words
end

--- Whole texts that may stand in a quoted argument; nil where it may be anything, a file for instance.
---@param fn function
---@param place integer|string number of the argument, or name of the option
---@param arguments string what stands in the call before
---@param typed string
---@return string[]?
function M.texts(fn, place, arguments, typed)
  local entry = doc.entry_of(fn)
  if not entry then
    return nil
  elseif type(place) == "number" then
    return place == backbone_argument(entry) and specification(typed) or nil
  end
  local options = { unpack(entry.options or {}) }
  for _, option in ipairs(backbone_argument(entry) and backbone_options(arguments) or {}) do
    options[#options + 1] = option
  end
  for _, option in ipairs(options) do
    if option.name == place then
      local choices = {}
      for choice in option.allowed:gmatch "'([^']*)'" do
        choices[#choices + 1] = choice
      end
      return #choices > 0 and choices or nil
    end
  end
end

return M
