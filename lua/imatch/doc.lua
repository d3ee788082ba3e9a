-- The documentation of everything that is bound, as data: the native entries, and those of the Lua modules.
local native = require "imatch.native"

local M = {}

-- Modules whose `documentation` table describes functions of `im` that are written in Lua.
M.modules = {
  "imatch.view", "imatch.memoize", "imatch.stopwatch", "imatch.cli", "imatch.sweep", "imatch.range", "imatch.points",
  "imatch.inspect", "imatch.overrides", "imatch.preview", "imatch.repl", "imatch.doc",
}

local entries

--- Every entry by full name ("match.mutual_nearest", "Image:resize"): { name, signature, text, example, options }.
---@return table<string, table>
function M.entries()
  if not entries then
    entries = native.documentation()
    for _, name in ipairs(M.modules) do
      for full_name, entry in pairs(require(name).documentation) do
        entries[full_name] = {
          name = full_name,
          signature = entry.signature,
          text = entry.text,
          example = entry.example,
          options = entry.options,
        }
      end
    end
  end
  return entries
end

--- What a full name stands for: a function of `im`, or a method of a type.
local function function_of(name)
  local type_name, method = name:match "^(%u%w*):(.+)$"
  local value = type_name and (debug.getregistry()[type_name] or {}).__index or require "imatch"
  for part in (method or name):gmatch "[^.]+" do
    value = type(value) == "table" and rawget(value, part) or nil
  end
  return type(value) == "function" and value or nil
end

local by_function

--- The entry of a function of ours, nil for any other.
---@param fn function
---@return table?
function M.entry_of(fn)
  if not by_function then
    by_function = {}
    for name, entry in pairs(M.entries()) do
      local found = function_of(name)
      if found and (not by_function[found] or name < by_function[found].name) then -- a function may have two names
        by_function[found] = entry
      end
    end
  end
  return by_function[fn]
end

--- Names of the options that a function takes, sorted; empty where it takes none or is none of ours.
---@param fn function
---@return string[]
function M.option_names(fn)
  local names = {}
  for i, option in ipairs((M.entry_of(fn) or {}).options or {}) do
    names[i] = option.name
  end
  table.sort(names)
  return names
end

local function wrapped(text, indent)
  local lines, line = {}, indent
  for word in text:gmatch "%S+" do
    if #line + #word > 100 and line ~= indent then
      lines[#lines + 1] = line
      line = indent
    end
    line = line .. (line == indent and "" or " ") .. word
  end
  lines[#lines + 1] = line
  return table.concat(lines, "\n")
end

local function option_lines(options)
  local lines = {}
  for _, option in ipairs(options) do
    local default = option.default
    if type(default) == "table" then
      default = require("imatch.inspect").text(default)
    elseif type(default) == "string" then
      default = "'" .. default .. "'"
    end
    lines[#lines + 1] = ("  %-16s %s%s%s"):format(
      option.name,
      option.type,
      option.allowed ~= "" and " " .. option.allowed or "",
      default ~= nil and "; default " .. tostring(default) or ""
    )
    lines[#lines + 1] = wrapped(option.doc, "      ")
  end
  return table.concat(lines, "\n")
end

local function entry_text(entry)
  local parts = { "im." .. entry.signature, wrapped(entry.text, "  ") }
  if entry.name:find ":" then
    parts[1] = entry.signature
  end
  if entry.options and #entry.options > 0 then
    parts[#parts + 1] = "Options:\n" .. option_lines(entry.options)
  end
  if entry.example then
    parts[#parts + 1] = "Example:\n  " .. entry.example:gsub("\n", "\n  ")
  end
  return table.concat(parts, "\n\n")
end

--- What a backbone is, and its options; nil when none is called that.
local function backbone_text(name)
  for _, known in ipairs(native.backbone.list()) do
    if known == name then
      local kind = native.backbone.describe(name)
      local example = ("im.backbone.features(image, '%s', { image_size = 448 })"):format(name)
      return table.concat({ "The backbone " .. name, wrapped(kind.doc, "  "), "Options:\n" .. option_lines(kind.options),
        "Example:\n  " .. example }, "\n\n")
    end
  end
end

local function overview()
  local lines = { "im.<table>.<function>; ?table lists it, ?table.function explains, and so does ?NAME of a backbone.",
    "In a session a local of a line stays a variable; help lists more.", "" }
  for _, module in ipairs(native.overview()) do
    lines[#lines + 1] = ("  %-10s %s"):format(module.name == "" and "im" or module.name, module.text)
    for _, kind in ipairs(module.types) do
      lines[#lines + 1] = ("  %-10s   %-10s %s"):format("", kind.name, kind.text)
    end
  end
  return table.concat(lines, "\n")
end

--- The text behind `?name`: an entry, the list of a table or type, or the overview for an empty name.
--- Returns nil and a message with near names when nothing fits.
---@param name string
---@return string?, string?
function M.text(name)
  name = name:gsub("^%s*im%.", ""):gsub("^%s+", ""):gsub("[%s%(%)]+$", "")
  if name == "" or name == "im" then
    return overview()
  end
  local all = M.entries()
  if all[name] then
    return entry_text(all[name])
  end
  local backbone = backbone_text(name)
  if backbone then
    return backbone
  end
  local prefix, listed = name:lower(), {}
  for full_name, entry in pairs(all) do
    local owner, last = full_name:match "^(.-)[.:]([^.:]+)$"
    if (owner or ""):lower() == prefix or (last or full_name):lower() == prefix then
      listed[#listed + 1] = entry
    end
  end
  if #listed == 1 then
    return entry_text(listed[1])
  elseif #listed > 1 then
    table.sort(listed, function(a, b)
      return a.name < b.name
    end)
    for i, entry in ipairs(listed) do
      listed[i] = "  " .. entry.signature .. "\n" .. wrapped(entry.text:match "^[^.;:]*", "      ")
    end
    return table.concat(listed, "\n")
  end
  local near = {}
  for full_name in pairs(all) do
    if full_name:lower():find(prefix, 1, true) then
      near[#near + 1] = full_name
    end
  end
  table.sort(near)
  return nil, ("no documentation for '%s'%s"):format(name, #near > 0 and "; there is: " .. table.concat(near, ", ") or "")
end

--- Prints M.text(name), or why there is none.
---@param name string
function M.print(name)
  local text, message = M.text(name)
  print(text or message)
end

M.documentation = {
  ["doc.text"] = {
    signature = "doc.text(name) -> string",
    text = "What ?name prints in the interactive session. An unknown name gives nil and a message with near names.",
    example = "print(im.doc.text('Tensor:shape'):match 'Tensor:shape%b()') --> Tensor:shape()",
  },
  ["doc.print"] = {
    signature = "doc.print(name)",
    text = "Prints the documentation of a name; '' gives the overview.",
    example = "print(pcall(im.doc.print, 'Tensor:shape')) --> true",
  },
  ["doc.option_names"] = {
    signature = "doc.option_names(function) -> list",
    text = "Names of the options that a function of the library takes, sorted.",
    example = "print(im.doc.option_names(im.image.resized_size)[1]) --> filter",
  },
  ["doc.entry_of"] = {
    signature = "doc.entry_of(function) -> table",
    text = "The documentation of a function of the library, nil for any other.",
    example = "print(im.doc.entry_of(im.image.open).name) --> image.open",
  },
  ["doc.entries"] = {
    signature = "doc.entries() -> table",
    text = "All documentation as data, by full name: signature, text, example, options.",
    example = "print(im.doc.entries()['Tensor:shape'].signature) --> Tensor:shape() -> list of integers",
  },
}

return M
