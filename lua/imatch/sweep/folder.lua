-- Run folders as a person names them, and the scripts that made them.
local native = require "imatch.native"

local M = {}

--- Text that is not UTF-8, which JSON cannot hold, stands there as { percent_encoded = "a%E9" }: here it is bytes again.
local function with_bytes(value)
  if type(value) ~= "table" then
    return value
  elseif type(value.percent_encoded) == "string" then
    return (value.percent_encoded:gsub("%%(%x%x)", function(digits)
      return string.char(tonumber(digits, 16))
    end))
  end
  for key, item in pairs(value) do
    value[key] = with_bytes(item)
  end
  return value
end

--- What a run folder, or one of its workers, says of where it comes from; an empty table where it says nothing.
---@param path string provenance.json or workers/<id>.json
function M.provenance(path)
  local read = native.io.read_json(path)
  return type(read) == "table" and with_bytes(read) or {}
end

local function provenance_of(path)
  return M.provenance(path .. "/provenance.json")
end

--- The run folder meant by a path: the folder itself, or the latest run in runs/<name> or runs.
---@param path string
---@return string? folder
---@return string? message
function M.find(path)
  path = #path > 1 and path:gsub("/+$", "") or path
  if native.file.is_file(path .. "/plan.json") then
    return path
  end
  local latest, latest_started
  for _, name in ipairs(native.file.list(path, { recursive = true, extensions = { "json" } }) or {}) do
    local folder = name:match "^(.*)/plan%.json$"
    if folder then
      local started = tostring(provenance_of(path .. "/" .. folder).started or "")
      if not latest or started > latest_started then
        latest, latest_started = path .. "/" .. folder, started
      end
    end
  end
  if latest then
    return latest
  end
  return nil, ("%s: no run folder; expected runs/<name>/<hash>, or a folder of such"):format(path)
end

--- The run in that folder.
---@param path string
---@return table? run
---@return string? message
function M.open(path)
  local folder, message = M.find(path)
  if not folder then
    return nil, message
  end
  return native.run.read(folder)
end

--- The options of the program itself (--device, --cache, ...) as they were given. `num_arguments`: of the command.
function M.program_options(num_arguments)
  local command_line = native.settings().command_line
  return { unpack(command_line, 2, #command_line - num_arguments - 1) }
end

--- Those lists of words as one.
---@param lists string[][]
function M.words(lists)
  local words = {}
  for _, list in ipairs(lists) do
    for _, word in ipairs(list) do
      words[#words + 1] = tostring(word)
    end
  end
  return words
end

--- The path of this program.
function M.program()
  local pipe = io.popen "readlink /proc/$PPID/exe"
  local path = pipe:read "*l"
  pipe:close()
  return path
end

--- What runs the script of a run folder again, `imatch-lua sweep ACTION SCRIPT ...` in its folder: { words = , folder = }.
---@param path string
---@param options string[] of the program
---@param action string[] words of the command
---@return table? command
---@return string? message
function M.command_of_script(path, options, action)
  local folder, message = M.find(path)
  if not folder then
    return nil, message
  end
  local provenance = provenance_of(folder)
  if not provenance.script then
    return nil, ("%s: made by no script (interactive session or -e); nothing can be run again"):format(folder)
  end
  for _, word in ipairs(provenance.arguments or {}) do
    if word == "***" or tostring(word):find(":***@", 1, true) then
      return nil, ("%s: a password among the script's arguments is not kept; run %s itself, with its arguments"):format(folder,
        provenance.script)
    end
  end
  local seed = { "--seed", ("%d"):format(provenance.seed or 0) }
  local words = M.words { { M.program() }, seed, options, { "sweep" }, action, { provenance.script },
    provenance.arguments or {} }
  return { words = words, folder = provenance.working_folder }
end

return M
