-- imatch-lua doc [NAME]: the documentation of a function, table or type; without a name the overview.
local im = require "imatch"

local parser = im.arguments("imatch-lua doc", "Prints the documentation of a function, table or type.")
parser:argument("name", "such as match.mutual_nearest, Image or cache"):args "?"
local arguments = parser:parse { ... }

local text, message = im.doc.text(arguments.name or "")
if not text then
  io.stderr:write("imatch-lua: ", message, "\n")
  os.exit(1)
end
print(text)
