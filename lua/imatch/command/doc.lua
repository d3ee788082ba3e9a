-- imatch-lua doc [NAME]: prints what ?NAME prints in the interactive session; or writes all of it as files.
local cli = require "imatch.cli"
local im = require "imatch"

local parser = cli.command("doc",
  "Prints the documentation of a function, a type or a table; of everything without a name. Or writes it as files.")
parser:argument("name", "such as match.mutual_nearest, Image:resize, image"):args "?"
parser:option("--markdown", "write the reference as Markdown into this folder")
parser:option("--meta", "write LuaCATS annotations, by which lua-language-server completes and checks, into this folder")
parser:flag("--check", "with --markdown or --meta: write nothing, exit status 1 when a file would change")
local arguments = parser:parse { ... }

if not arguments.markdown and not arguments.meta then
  print((cli.checked(im.doc.text(arguments.name or ""))))
  return
end

local num_changed = 0

--- Writes the files of `kind` that differ from what the folder has and removes none.
local function write(kind, folder)
  local names = {}
  local files = require("imatch.doc." .. kind).files()
  for name in pairs(files) do
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    local path = im.file.join(folder, name)
    if im.file.read(path) ~= files[name] then
      num_changed = num_changed + 1
      print(path .. (arguments.check and ": not up to date" or ""))
      if not arguments.check then
        cli.checked(im.file.write(path, files[name]))
      end
    end
  end
end
if arguments.markdown then
  write("markdown", arguments.markdown)
end
if arguments.meta then
  write("annotations", arguments.meta)
end
os.exit(arguments.check and num_changed > 0 and 1 or 0)
