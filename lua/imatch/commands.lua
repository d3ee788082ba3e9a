-- The commands in groups, a line each: what --help, `help` and the session's `help` print. A command that stands in no group
-- is listed last, with what the first line of its file says.
local native = require "imatch.native"

local M = {}

M.groups = {
  { "Pairs of pictures", {
    { "match", "two pictures, two folders or a list of pairs: do they match, and where" },
    { "run", "all pairs of a folder, a JSON file each; goes on where it was" },
    { "run2", "the same with weights in Hugging Face folders" },
    { "vis", "pictures and a gallery of the pair files of run" },
    { "export", "matches and features for hloc and COLMAP" },
  } },
  { "Places", {
    { "localize", "photos on a GeoTIFF: latitude, longitude, heading, and how far to trust them" },
    { "embed", "vectors of a data set's pictures, as .npy files" },
    { "reference", "rotated, cropped references of a data set's photos" },
    { "search", "the nearest references of each query" },
    { "evaluate", "recalls and metres of search results against the truth" },
  } },
  { "Experiments", {
    { "sweep", "plan, run, resume, look at and compare sweeps" },
  } },
  { "Inspection", {
    { "patchcore", "learns what normal pictures look like, and finds what does not" },
  } },
  { "The program", {
    { "backbone", "backbones, their weights and number types" },
    { "stats", "mean and deviation of a folder of pictures" },
    { "doctor", "what usually goes wrong on this machine, and what to do about it" },
    { "doc", "documentation of a function, type or table" },
    { "kernel", "installs the kernel for Jupyter notebooks" },
    { "help", "this list, or the options of a command" },
  } },
}

local FOLDER = debug.getinfo(1, "S").source:match "^@(.*)/[^/]*$" .. "/command"

--- The file of a command.
---@param name string
function M.file(name)
  return ("%s/%s.lua"):format(FOLDER, name)
end

--- Names of all commands, sorted.
---@return string[]
function M.names()
  local names = {}
  for _, file in ipairs(native.file.list(FOLDER, { extensions = { "lua" } }) or {}) do
    names[#names + 1] = file:match "^(.*)%.lua$"
  end
  return names
end

--- "what it does" of a first line "-- imatch-lua NAME: what it does."
local function first_line(name)
  local line = (native.file.read(M.file(name)) or ""):match "^%-%- imatch%-lua [^:]*: ([^\n]*)"
  return line and line:gsub("%.$", "") or ""
end

--- The list as text.
---@return string
function M.text()
  local missing, lines = {}, {}
  for _, name in ipairs(M.names()) do
    missing[name] = true
  end
  local function add(title, commands)
    local shown = {}
    for _, command in ipairs(commands) do
      if missing[command[1]] then
        missing[command[1]] = nil
        shown[#shown + 1] = ("  %-10s %s"):format(command[1], command[2])
      end
    end
    if #shown > 0 then
      lines[#lines + 1] = ("\n%s\n%s"):format(title, table.concat(shown, "\n"))
    end
  end
  for _, group in ipairs(M.groups) do
    add(group[1], group[2])
  end
  local others = {}
  for _, name in ipairs(M.names()) do
    others[#others + 1] = missing[name] and { name, first_line(name) } or nil
  end
  add("Others", others)
  return "Commands; 'imatch-lua COMMAND --help' has the options of each:\n" .. table.concat(lines, "\n")
end

--- Prints the list: the end of --help.
function M.print()
  print("\n" .. M.text())
end

--- Prints what a person needs who typed `help` in a session.
function M.print_help()
  print((require("imatch.doc").text "im"))
  print("\nIn the session: ?name explains, Tab completes, _ is the last result, a local of a line stays a variable,\n"
    .. "$ command goes to the shell, Ctrl-C stops a line, quit leaves. In a shell:\n")
  print(M.text())
end

return M
