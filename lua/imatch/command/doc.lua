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

local reference = require "imatch.reference"
local num_changed = 0
local function write(files, folder)
  for _, name in ipairs(reference.write(files, folder, arguments.check)) do
    num_changed = num_changed + 1
    print((arguments.check and "%s/%s: not up to date" or "%s/%s"):format(folder, name))
  end
end
if arguments.markdown then
  write(reference.markdown(), arguments.markdown)
end
if arguments.meta then
  write(reference.annotations(), arguments.meta)
end
os.exit(arguments.check and num_changed > 0 and 1 or 0)
