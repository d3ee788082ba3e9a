-- Which pair files a command works on: those named, all below a folder, or those chosen on the terminal.
local cli = require "imatch.cli"
local im = require "imatch"

local M = {}

--- Pair files in a folder and below: the folders in order, and the files of each. Ends the program where there are none.
local function by_folder(folder)
  local folders, files_of = {}, {}
  for _, file in ipairs(cli.checked(im.file.list(folder, { extensions = { "json" }, recursive = true }))) do
    local parent = file:match "^(.*)/[^/]*$" or "."
    if not files_of[parent] then
      folders[#folders + 1] = parent
      files_of[parent] = {}
    end
    table.insert(files_of[parent], folder .. "/" .. file)
  end
  if #folders == 0 then
    cli.fail(folder .. ": no pair files (.json)")
  end
  return folders, files_of
end

--- Every pair file in a folder and below, folder by folder.
---@param folder string
---@return string[]
function M.below(folder)
  local list = {}
  local folders, files_of = by_folder(folder)
  for _, name in ipairs(folders) do
    for _, file in ipairs(files_of[name]) do
      list[#list + 1] = file
    end
  end
  return list
end

--- The pair files that are named, or lie in folders that are named; paths as they are or below the root.
---@param names string[]
---@param root string?
---@return string[]
function M.named(names, root)
  local list = {}
  for _, name in ipairs(names) do
    local path = im.file.exists(name) and name or root and im.file.exists(root .. "/" .. name) and root .. "/" .. name
    if not path then
      cli.fail(("no such file or folder: %s%s"):format(name, root and (", nor below %s"):format(root) or ""))
    end
    for _, file in ipairs(path:find "%.json$" and { path } or M.below(path)) do
      list[#list + 1] = file
    end
  end
  return list
end

--- The entries that a line such as "1 3-5" or "a" (all) names; nil when it is none.
local function chosen_by(line, entries)
  if line:match "^%s*a" then
    return entries
  end
  local chosen = {}
  for word in line:gmatch "[^%s,]+" do
    local first, last = word:match "^(%d+)%-(%d+)$"
    first, last = tonumber(first or word), tonumber(last or word)
    if not first or not last or first < 1 or last > #entries or first > last then
      return nil
    end
    for i = first, last do
      chosen[#chosen + 1] = entries[i]
    end
  end
  return #chosen > 0 and chosen or nil
end

--- Asks which of the entries, until the answer names some; "q" ends the program.
local function ask(what, entries)
  for i, entry in ipairs(entries) do
    print(("%4d  %s"):format(i, entry))
  end
  while true do
    io.write(what, " (numbers and ranges such as 1 3-5, a: all, q: leave): ")
    io.flush()
    local line = io.read "*l"
    if not line or line:match "^%s*q" then
      os.exit(0)
    end
    local chosen = chosen_by(line, entries)
    if chosen then
      return chosen
    end
    print(("expected numbers from 1 to %d"):format(#entries))
  end
end

--- Asks on the terminal which folders below the root, and which files of each.
---@param root string
---@return string[]
function M.asked(root)
  local list = {}
  local folders, files_of = by_folder(root)
  for _, folder in ipairs(ask("folders", folders)) do
    local names, by_name = {}, {}
    for i, file in ipairs(files_of[folder]) do
      names[i] = file:match "[^/]+$"
      by_name[names[i]] = file
    end
    print(folder)
    for _, name in ipairs(ask("files", names)) do
      list[#list + 1] = by_name[name]
    end
  end
  return list
end

return M
