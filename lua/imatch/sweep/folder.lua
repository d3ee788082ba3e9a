-- Run folders as a person names them, and the scripts that made them.
local native = require "imatch.native"

local M = {}

local function provenance_of(path)
  return native.io.read_json(path .. "/provenance.json") or {}
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
      local started = provenance_of(path .. "/" .. folder).started or ""
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

function M.quoted(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

--- Those lists of words, as a shell takes them.
---@param lists string[][]
function M.quoted_words(lists)
  local words = {}
  for _, list in ipairs(lists) do
    for _, word in ipairs(list) do
      words[#words + 1] = M.quoted(tostring(word))
    end
  end
  return table.concat(words, " ")
end

--- This program, as a shell can start it.
function M.program()
  local pipe = io.popen "readlink /proc/$PPID/exe"
  local path = pipe:read "*l"
  pipe:close()
  return path
end

--- The shell command that runs the script of a run folder again: `imatch-lua sweep ACTION SCRIPT ...` in its folder.
---@param path string
---@param options string[] of the program
---@param action string[] words of the command
---@return string? command
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
  local seed = { "--seed", ("%d"):format(provenance.seed or 0) }
  local words = M.quoted_words { { M.program() }, seed, options, { "sweep" }, action, { provenance.script },
    provenance.arguments or {} }
  return ("cd %s && exec %s"):format(M.quoted(provenance.working_folder), words)
end

return M
